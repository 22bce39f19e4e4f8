using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.Storage.Tests.Differential;

/// <summary>The same scripts to Dovecot and to the node. Where the answers differ, the script says of which kind the difference is, and
/// <see cref="KnownDifferences"/> says what allows it.</summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    [FactIfInstalled("dovecot")]
    public async Task The_node_answers_as_Dovecot_does_but_for_what_is_listed()
    {
        var scripts = DifferentialScript.ReadAll();
        Assert.True(scripts.Count >= 200, $"There are {scripts.Count} scripts.");
        await using var dovecot = await DovecotServer.StartAsync(everyPlugin: true);
        await using var node = await RunningNode.StartAsync(static options => options with { QuotaBytes = 1L << 30 });

        var faults = new List<string>();
        var kinds = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < scripts.Count; i++)
        {
            await using var theirs = new SessionsOfOne(() => LogInAtDovecotAsync(dovecot, $"user{i}"));
            await using var ours = new SessionsOfOne(() => node.LogInAsync($"user{i}"));
            await CompareAsync(scripts[i], theirs, ours, faults, kinds);
        }
        output.WriteLine($"{scripts.Count} scripts; differences: {string.Join(", ", kinds.Select(static kind => $"{kind.Value} × {kind.Key}"))}");
        foreach (var kind in kinds.Keys.Except(KnownDifferences.Reasons.Keys)) faults.Add($"\"{kind}\" is not among the known differences.");
        foreach (var kind in KnownDifferences.Reasons.Keys.Except(kinds.Keys)) faults.Add($"\"{kind}\" is known, and no script shows it.");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    private static async Task CompareAsync(DifferentialScript script, SessionsOfOne theirs, SessionsOfOne ours, List<string> faults, SortedDictionary<string, int> kinds)
    {
        var played = new List<string>();
        var (number, idling) = (0, "");
        foreach (var step in script.Steps)
        {
            // DONE ends the command that others' commands may have followed.
            var tag = step.Text == "DONE" ? idling : $"t{++number}";
            if (step.Text == "IDLE") idling = tag;
            played.Add($"{step.Session}: {step.Text.Split("\r\n")[0]}");
            List<string> expected, actual;
            try
            {
                expected = await Transcript.PlayAsync(await theirs.OfAsync(step.Session), step.Text, tag);
                actual = await Transcript.PlayAsync(await ours.OfAsync(step.Session), step.Text, tag);
            }
            catch (OperationCanceledException)
            {
                faults.Add($"[{script.Name}] no answer to the last of\n    {string.Join("\n    ", played.TakeLast(3))}");
                return;
            }
            var same = expected.SequenceEqual(actual);
            if (!same && step.Difference is { } kind) kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
            else if (!same) faults.Add($"[{script.Name}]\n    {string.Join("\n    ", played.TakeLast(3))}\n  Dovecot: {string.Join(" | ", expected)}\n  we:      {string.Join(" | ", actual)}");
            else if (step.Difference is not null) faults.Add($"[{script.Name}] {step.Text}: no difference any more.");
        }
    }

    private static async Task<ImapClient> LogInAtDovecotAsync(DovecotServer dovecot, string user)
    {
        var client = await ImapClient.ConnectAsync(dovecot.EndPoint);
        await client.ReadLineAsync();
        await client.OkAsync($"LOGIN {user} x");
        return client;
    }

    /// <summary>The sessions of one user at one server, each logged in when it first speaks.</summary>
    private sealed class SessionsOfOne(Func<Task<ImapClient>> logIn) : IAsyncDisposable
    {
        private readonly Dictionary<int, ImapClient> _sessions = [];

        public async Task<ImapClient> OfAsync(int number)
        {
            if (!_sessions.TryGetValue(number, out var session)) _sessions[number] = session = await logIn();
            return session;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var session in _sessions.Values) await session.DisposeAsync();
        }
    }
}
