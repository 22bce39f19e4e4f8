using System.Globalization;
using ImapDirector.Operations.Api;

namespace ImapDirector.CommandLine;

/// <summary>Orders many moves, not faster than a rate and not many at one time. Stopped, it has ordered what it had come to, and directors carry that out; started
/// again it goes on with whoever is still there.</summary>
internal sealed class MoveBatch(ApiClient api, IReadOnlyList<ApiMoveOrdered> plan, TimeSpan interval)
{
    // What is ordered and not over: a stop leaves no more behind.
    private const int MaxOutstanding = 50;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(2);

    // Users, with the id of the move that is waited for.
    private readonly Dictionary<string, string> _outstanding = [];

    /// <summary>What there is to say of a move whose record is gone: a sentence without its full stop.</summary>
    public const string Unknown = "What became of the move is not known, since Redis has no record of it any more, or only that of a later one";

    /// <summary>How many have moved.</summary>
    public int Done { get; private set; }

    /// <summary>Who has not, or of whom it is not known, and why.</summary>
    public List<(string User, string Reason)> Stayed { get; } = [];

    /// <summary>Orders a user to be moved.</summary>
    /// <exception cref="RefusedException">It cannot be.</exception>
    public static Task<ApiMoveOrdered> OrderAsync(ApiClient api, string user, ApiMoveOrder order, CancellationToken cancellationToken) =>
        api.AskAsync(HttpMethod.Post, $"/users/{ApiClient.Segment(user)}/move", ApiJson.Default.ApiMoveOrdered, ApiClient.Json(order, ApiJson.Default.ApiMoveOrder), cancellationToken);

    /// <summary>A user's last move; <c>null</c> when it was over more than a day ago, or never was.</summary>
    public static async Task<ApiMove?> FindAsync(ApiClient api, string user, CancellationToken cancellationToken) =>
        (await api.GetAsync("/moves?user=" + Uri.EscapeDataString(user), ApiJson.Default.ApiMoves, cancellationToken)).Moves is [var move, ..] ? move : null;

    /// <summary>Reads a rate.</summary>
    /// <param name="text">Such as <c>10/s</c>, <c>30/m</c> or <c>1000/h</c>.</param>
    /// <param name="interval">The time between two moves.</param>
    public static bool TryReadRate(string text, out TimeSpan interval)
    {
        interval = default;
        if (text.Length < 3 || text[^2] != '/' || !int.TryParse(text.AsSpan(0, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 1000) return false;
        var unit = text[^1] switch { 's' => TimeSpan.FromSeconds(1), 'm' => TimeSpan.FromMinutes(1), 'h' => TimeSpan.FromHours(1), _ => TimeSpan.Zero };
        interval = unit / number;
        return unit != TimeSpan.Zero;
    }

    /// <summary>Orders all of them and waits for their ends.</summary>
    /// <param name="tell">Hears how far it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="RefusedException">The director, or its Redis, is away.</exception>
    public async Task RunAsync(Action<string> tell, CancellationToken cancellationToken)
    {
        var (next, due, told, looked) = (0, Environment.TickCount64, 0L, 0L);
        while (next < plan.Count || _outstanding.Count > 0)
        {
            var now = Environment.TickCount64;
            if (now - looked >= BetweenLooks.TotalMilliseconds)
            {
                looked = now;
                await LookAsync(cancellationToken);
            }
            if (now - told >= BetweenLines.TotalMilliseconds)
            {
                told = now;
                tell(string.Create(CultureInfo.InvariantCulture, $"{Done} of {plan.Count} have moved, {_outstanding.Count} are moving, {Stayed.Count} stay"));
            }
            if (next < plan.Count && _outstanding.Count < MaxOutstanding && now >= due)
            {
                due = Math.Max(due + (long)interval.TotalMilliseconds, now - 1000);
                await OrderAsync(plan[next++], cancellationToken);
                continue;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(due - now, 10, BetweenLooks.TotalMilliseconds)), cancellationToken);
        }
    }

    private async Task OrderAsync(ApiMoveOrdered move, CancellationToken cancellationToken)
    {
        try
        {
            if ((await OrderAsync(api, move.User, new ApiMoveOrder(move.To, move.From), cancellationToken)).Id is { } id) _outstanding.Add(move.User, id);
            else Done++;
        }
        catch (RefusedException refused) when (refused.ExitCode is ExitCode.InUse or ExitCode.Unknown)
        {
            // By an earlier run, as a rule: its end is waited for like that of one's own.
            if (await FindAsync(api, move.User, cancellationToken) is { Step: not ("done" or "failed") } found && found.To == move.To) _outstanding.Add(move.User, found.Id);
            else Stayed.Add((move.User, refused.Message));
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (_outstanding.Count == 0) return;
        var running = (await api.GetAsync("/moves", ApiJson.Default.ApiMoves, cancellationToken)).Moves.Select(static move => move.Id).ToHashSet();
        foreach (var (user, id) in _outstanding.Where(one => !running.Contains(one.Value)).ToArray())
        {
            var move = await FindAsync(api, user, cancellationToken);
            if (move?.Id != id) Stayed.Add((user, Unknown + "."));
            else if (move.Step == "failed") Stayed.Add((user, move.Reason ?? "it was called off"));
            else if (move.Step == "done") Done++;
            else continue;
            _outstanding.Remove(user);
        }
    }
}
