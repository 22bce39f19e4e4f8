using System.Globalization;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Directory;

/// <summary>Brings the user → node map back from the nodes, each of which knows whose mail it holds. What is in the map stays; where it is not plain where a user is,
/// that is told, and nobody chooses.</summary>
public sealed class MapRebuild : IDisposable
{
    /// <summary>The largest epoch that is taken from anywhere. The scripts count with doubles, which are whole up to twice as many: the rest is for moves.</summary>
    internal const long MaxEpoch = 1L << 52;

    private const int UsersAtOnce = 100;
    private const int NodesAtOnce = 8;
    private const int Attempts = 5;
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(2);

    private readonly AssignmentMap _map;
    private readonly NodeRegistry _registry;
    private readonly NodeControl _control;
    private readonly bool _isOwner;
    private int _running;

    /// <summary>Composes it for when no director runs.</summary>
    /// <param name="map">The map, connected.</param>
    /// <param name="options">A director's settings: the nodes are asked in its name.</param>
    /// <param name="loggers">Where its loggers are made.</param>
    /// <exception cref="InvalidDataException">The key for assertions cannot be used.</exception>
    public MapRebuild(AssignmentMap map, DirectorOptions options, ILoggerFactory loggers)
        : this(map, map.Registry, new NodeControl(AssertionIssuer.Create(options, loggers))) => _isOwner = true;

    internal MapRebuild(AssignmentMap map, NodeRegistry registry, NodeControl control) => (_map, _registry, _control) = (map, registry, control);

    /// <summary>The nodes that there are.</summary>
    public IEnumerable<string> NodeNames => _registry.Current.All.Select(static status => status.Node.Name);

    /// <summary>Asks the nodes and writes assignments for users who have none, each with an epoch above all that their node has seen. It can be stopped and begun again.</summary>
    /// <param name="isDry">Whether nothing is written, and it is only told what would be.</param>
    /// <param name="without">Nodes that are not asked, since they are away for good or for long: without them, nothing else is written than of users who are plainly elsewhere.</param>
    /// <param name="tell">Told each line, one after the other; the last is of <see cref="RebuildKind.End"/>.</param>
    /// <param name="cancellationToken">Ends it; what was written stays.</param>
    public async Task<RebuildEnd> RunAsync(bool isDry, IReadOnlyCollection<string> without, Func<RebuildLine, ValueTask> tell, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _running, 1) == 1) return await EndAsync(new RebuildEnd(RebuildOutcome.Busy, 0, 0, 0), isDry, tell);
        try
        {
            return await EndAsync(await RunOnceAsync(isDry, without, tell, cancellationToken), isDry, tell);
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_isOwner) _control.Dispose();
    }

    private async Task<RebuildEnd> RunOnceAsync(bool isDry, IReadOnlyCollection<string> without, Func<RebuildLine, ValueTask> tell, CancellationToken cancellationToken)
    {
        if (!await _registry.RefreshAsync(cancellationToken)) return new RebuildEnd(RebuildOutcome.Unavailable, 0, 0, 0);
        var held = new HeldStores(_control);
        var (silent, findings) = await AskAsync(held, without, tell, cancellationToken);
        var isWhole = !_registry.Current.All.Any(status => without.Contains(status.Node.Name));
        var (written, there, told) = (0, 0, Environment.TickCount64);
        foreach (var some in held.Users.Chunk(UsersAtOnce))
        {
            foreach (var (verdict, line) in await Task.WhenAll(some.Select(user => JudgeAsync(user, held.Of(user), isDry || silent > 0, isWhole, cancellationToken))))
            {
                if (verdict == Verdict.Unavailable) return new RebuildEnd(RebuildOutcome.Unavailable, written, there, findings);
                if (verdict == Verdict.Written) written++;
                else if (verdict == Verdict.There) there++;
                if (line is null) continue;
                findings++;
                await tell(line);
            }
            if (Environment.TickCount64 - told < BetweenLines.TotalMilliseconds) continue;
            told = Environment.TickCount64;
            await tell(Progress($"{written + there} users so far, {findings} findings"));
        }
        return new RebuildEnd(silent > 0 ? RebuildOutcome.Incomplete : RebuildOutcome.Done, silent > 0 && !isDry ? 0 : written, there, findings);
    }

    /// <returns>How many nodes have not told all that they hold, and how many findings that makes.</returns>
    private async Task<(int Silent, int Findings)> AskAsync(HeldStores held, IReadOnlyCollection<string> without, Func<RebuildLine, ValueTask> tell, CancellationToken cancellationToken)
    {
        var (silent, findings) = (0, 0);
        var asked = new List<BackendNode>();
        foreach (var status in _registry.Current.All.Where(status => !without.Contains(status.Node.Name)))
        {
            if (status.Fault is null && !status.Node.IsBundled)
            {
                findings++;
                await tell(new RebuildLine(RebuildKind.Finding, $"Node {status.Node.Name} is none of ours and cannot be asked whom it holds: bring its users back with \"directory import\"."));
            }
            else if ((status.Fault ?? _control.FindObstacle(status.Node)) is { } obstacle)
            {
                silent++;
                await tell(Silent(status.Node.Name, $"cannot be asked: {obstacle.TrimEnd('.')}"));
            }
            else asked.Add(status.Node);
        }
        await tell(Progress($"asking {asked.Count} nodes"));
        using var turns = new SemaphoreSlim(NodesAtOnce);
        var answers = asked.Select(async node =>
        {
            await turns.WaitAsync(cancellationToken);
            try
            {
                return (Node: node, Refused: await held.AskAsync(node, cancellationToken));
            }
            finally
            {
                turns.Release();
            }
        }).ToList();
        var all = Task.WhenAll(answers);
        while (await Task.WhenAny(all, Task.Delay(BetweenLines, CancellationToken.None)) != all)
            await tell(Progress($"{answers.Count(static answer => answer.IsCompleted)} of {asked.Count} nodes have told all, {held.Count} users so far"));
        foreach (var (node, refused) in await all)
        {
            if (refused is null) continue;
            silent++;
            await tell(Silent(node.Name, refused));
        }
        return (silent, findings + silent);
    }

    private async Task<(Verdict Verdict, RebuildLine? Finding)> JudgeAsync(UserName user, IReadOnlyList<HeldStore> stores, bool isDry, bool isWhole, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var (answered, assignment) = await _map.FindAsync(user, cancellationToken);
            if (!answered) return (Verdict.Unavailable, null);
            if (assignment is not null) return FindContradiction(assignment, stores) is { } contradiction ? (Verdict.Told, Finding(user, stores, contradiction)) : (Verdict.There, null);
            if (FindDoubt(stores, isWhole) is { } doubt) return (Verdict.Told, Finding(user, stores, doubt));
            if (isDry) return (Verdict.Written, null);
            switch (await _map.ImportAsync(new Assignment(user.Value, stores[0].Node, stores[0].Epoch + 1), cancellationToken))
            {
                case ImportOutcome.Done:
                    return (Verdict.Written, null);
                case ImportOutcome.Unavailable:
                    return (Verdict.Unavailable, null);
                case ImportOutcome.UnknownNode or ImportOutcome.Invalid:
                    return (Verdict.Told, Finding(user, stores, $"node {stores[0].Node} was taken out meanwhile"));
                default:
                    // Somebody was quicker, so there is something to compare with.
                    continue;
            }
        }
        return (Verdict.Unavailable, null);
    }

    /// <summary>What the nodes say against the map, as a clause.</summary>
    private static string? FindContradiction(Assignment assignment, IReadOnlyList<HeldStore> stores)
    {
        if (stores.Any(store => store.Node != assignment.Node && store.Node != assignment.Moving))
            return string.Create(CultureInfo.InvariantCulture, $"is assigned to {assignment.Node}, epoch {assignment.Epoch}, which stays, and there is {Shown(stores)}: see where the mail is, and take the other store away");
        return assignment.Moving is null && stores[0].Epoch > assignment.Epoch
            ? string.Create(CultureInfo.InvariantCulture, $"cannot log in: the epoch is {assignment.Epoch}, and there is {Shown(stores)}; remove the assignment's key from Redis, and run this once more") : null;
    }

    /// <summary>Why it is not plain where the user is, as a clause.</summary>
    private static string? FindDoubt(IReadOnlyList<HeldStore> stores, bool isWhole)
    {
        if (stores.Count > 1)
            return $"is found more than once, at {Shown(stores)}: see where the mail is, take the other store away or bring the assignment back with \"directory import\", with an epoch above these";
        var store = stores[0];
        if (store.State == "unreadable") return $"has a store that cannot be read, {Shown(stores)}: see \"store check\"";
        if (store.Epoch >= MaxEpoch) return $"has a store with an epoch that cannot be, {Shown(stores)}";
        return isWhole || store.State == "active" ? null : $"was on the way between two nodes, of which not both were asked: there is {Shown(stores)}";
    }

    private static string Shown(IReadOnlyList<HeldStore> stores) => string.Join(" and ", stores.Select(static store => string.Create(CultureInfo.InvariantCulture,
        $"{store.Node} ({store.State}, epoch {store.Epoch}, {store.Messages} messages{(store.Changed is { } changed ? $", changed {changed.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}" : "")})")));

    private static RebuildLine Finding(UserName user, IReadOnlyList<HeldStore> stores, string text) => new(RebuildKind.Finding, $"{user} {text}.") { User = user.Value, Stores = stores };

    private static RebuildLine Silent(string node, string reason) => new(RebuildKind.Finding, $"Node {node} {reason}. Without it nothing is written: see to it, or leave it out with \"--without {node}\".");

    private static RebuildLine Progress(FormattableString text) => new(RebuildKind.Progress, text.ToString(CultureInfo.InvariantCulture));

    private static async Task<RebuildEnd> EndAsync(RebuildEnd end, bool isDry, Func<RebuildLine, ValueTask> tell)
    {
        var counts = string.Create(CultureInfo.InvariantCulture, $"{end.Written} users {(isDry ? "would be" : "are")} brought back, {end.ThereAlready} were there already, {end.Findings} findings.");
        await tell(new RebuildLine(RebuildKind.End, end.Outcome switch
        {
            RebuildOutcome.Done => counts,
            RebuildOutcome.Incomplete => isDry ? $"Not every node has told whom it holds, so that nothing would be written. With them all: {counts}" : "Not every node has told whom it holds: nothing was written.",
            RebuildOutcome.Busy => "Another rebuild runs at this director.",
            _ => $"Redis does not answer, so that it has ended early: {counts}",
        })
        { End = end });
        return end;
    }

    private enum Verdict { Written, There, Told, Unavailable }
}
