using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Checks;

/// <summary>Holds what clients were told against what is there, and what nodes have logged against the invariants.</summary>
internal sealed partial class FinalCheck(TestCluster cluster, Journal journal, IReadOnlyList<string> users)
{
    private const int Readers = 8;
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60), PerUser = TimeSpan.FromMilliseconds(200);

    /// <summary>Everything runs again, and no client is left.</summary>
    public async Task RunAsync(Verdict verdict)
    {
        var until = DateTime.UtcNow + Recovery + users.Count * PerUser;
        var (mailboxes, unreachable) = (new ConcurrentDictionary<string, IReadOnlyList<string>>(), new ConcurrentBag<string>());
        await Parallel.ForEachAsync(users, new ParallelOptions { MaxDegreeOfParallelism = Readers }, async (user, _) =>
        {
            if (await ReadAsync(user, until) is { } ids) mailboxes[user] = ids;
            else unreachable.Add(user);
        });
        CountLogins(verdict);
        var logged = await CheckStaysAsync(verdict);
        CheckMessages(verdict, mailboxes);
        // Where nothing succeeds nothing goes wrong either.
        verdict.Invariant("kinds of work that never succeeded", new[]
        {
            ("login", journal.Logins.Any(static login => login.Outcome == LoginOutcome.Ok)),
            ("session in the log of a node", logged > 0),
            ("delivery", journal.Messages.Any(static message => message is { IsDelivery: true, IsAcknowledged: true })),
        }.Where(static work => !work.Item2).Select(static work => work.Item1));
        verdict.Invariant("logins hung", journal.Logins.Where(login => TimeOf(login) > TestCluster.LoginTimeout + TimeSpan.FromSeconds(10)).Select(Described));
        verdict.Invariant("users who cannot log in at the end", unreachable);
        verdict.Invariant("directory verify", FindingsOf(await cluster.OrderAsync("directory", "verify")));
        foreach (var node in cluster.Nodes)
            verdict.Invariant($"store check of {node.Name}", FindingsOf(await cluster.CommandAsync("store", "check", "--all", "--data", cluster.DataOf(node))));
    }

    private async Task<IReadOnlyList<string>?> ReadAsync(string user, DateTime until)
    {
        for (var attempt = 0; DateTime.UtcNow < until; attempt++)
        {
            // These logins are none of the run's: the journal is left as it is.
            if (await SessionLoop.LogInAsync(cluster, new Journal(), user, attempt % cluster.Directors.Count) is { } open)
            {
                await using var client = open.Client;
                try
                {
                    if (!(await client.AskAsync("EXAMINE INBOX")).IsOk) continue;
                    var answer = await client.AskAsync("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
                    if (answer.IsOk) return [.. answer.Lines.SelectMany(static line => MessageId().Matches(line)).Select(static match => match.Groups[1].Value)];
                }
                catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException)
                {
                    // A kick of the run's that has come late, or a director that is only now back.
                }
            }
            await Task.Delay(200);
        }
        return null;
    }

    private void CountLogins(Verdict verdict)
    {
        var outcomes = journal.Logins.GroupBy(static login => login.Outcome).OrderBy(static group => group.Key);
        verdict.Figure("logins", $"{journal.Logins.Count}: {string.Join(", ", outcomes.Select(static group => $"{group.Count()} {group.Key}"))}");
        verdict.Figure("longest login, in s", journal.Logins.Select(login => TimeOf(login).TotalSeconds).DefaultIfEmpty().Max().ToString("F1", System.Globalization.CultureInfo.InvariantCulture));
        foreach (var hung in journal.Logins.Where(static login => login.Outcome == LoginOutcome.Hung).Take(5))
            verdict.Figure("  hung", $"{Described(hung)}, of which its director had {TimeOf(hung).TotalSeconds:F1} s");
        foreach (var refused in journal.Logins.Where(static login => login.Outcome == LoginOutcome.Refused).GroupBy(static login => login.Text).Take(5))
            verdict.Figure("  refused", $"{refused.Count()} times: {refused.Key}");
    }

    /// <returns>How many sessions the nodes have logged.</returns>
    private async Task<int> CheckStaysAsync(Verdict verdict)
    {
        var logged = new List<LoggedSession>();
        foreach (var node in cluster.Nodes) logged.AddRange(await NodeLog.ReadAsync(node));
        var nodeOf = logged.GroupBy(static session => session.Client).ToDictionary(static group => group.Key, static group => group.First().Node);
        var seen = journal.Sessions.Where(session => session.Software.Length > 0 || nodeOf.ContainsKey(session.Client.ToString())).Select(session => new Stay(session.User,
            session.Software.Length > 0 ? session.Software : nodeOf[session.Client.ToString()], session.From, session.To, $"client {session.Client}")).ToArray();
        verdict.Figure("sessions", $"{logged.Count} in the logs of bundled nodes, {seen.Length} that clients were in");
        verdict.Invariant("overlaps, as clients saw them", Overlaps.Find(seen));
        verdict.Invariant("overlaps, as bundled nodes logged them", Overlaps.Find(logged.Select(static session => new Stay(session.User, session.Node, session.From, session.To, session.Client))));
        return logged.Count;
    }

    private void CheckMessages(Verdict verdict, ConcurrentDictionary<string, IReadOnlyList<string>> mailboxes)
    {
        var there = mailboxes.SelectMany(static mailbox => mailbox.Value.Select(id => (User: mailbox.Key, Id: id))).GroupBy(static one => one).ToDictionary(static group => group.Key, static group => group.Count());
        var (sent, acknowledged) = (journal.Messages.Count, journal.Messages.Where(static message => message.IsAcknowledged).ToArray());
        var arrived = journal.Messages.Count(message => !message.IsAcknowledged && there.ContainsKey((message.User, message.Id)));
        verdict.Figure("messages", $"{sent} handed in ({journal.Messages.Count(static message => message.IsDelivery)} by LMTP): {acknowledged.Length} acknowledged, {sent - acknowledged.Length} not, of which {arrived} are there");
        foreach (var replies in journal.Messages.Where(static message => !message.IsAcknowledged).GroupBy(static message => message.Reply).OrderByDescending(static group => group.Count()).Take(8))
            verdict.Figure("  not acknowledged", $"{replies.Count()} times: {replies.Key}");
        verdict.Invariant("acknowledged messages lost", acknowledged.Where(message => mailboxes.ContainsKey(message.User) && !there.ContainsKey((message.User, message.Id)))
            .Select(static message => $"{message.User} {message.Id} {message.From:HH:mm:ss.fff} to {message.To:HH:mm:ss.fff}"));
        verdict.Invariant("messages doubled", there.Where(static one => one.Value > 1).Select(static one => $"{one.Key.User} {one.Key.Id}, {one.Value} times"));
    }

    // While a director is paused nobody can ask an answer of it.
    private TimeSpan TimeOf(LoginRecord login) => login.To - login.From - cluster.Directors.Single(director => director.Name == login.Director).PausedFor(login.From, login.To);

    private static string Described(LoginRecord login) => $"{login.User} at {login.Director}, {login.From:HH:mm:ss.fff} to {login.To:HH:mm:ss.fff}";

    private static IEnumerable<string> FindingsOf((int ExitCode, string Printed, string Error) command) =>
        command.ExitCode == 0 ? [] : [$"exit code {command.ExitCode}", .. (command.Printed + command.Error).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    [GeneratedRegex("Message-ID: <([^>]*)>", RegexOptions.IgnoreCase)]
    private static partial Regex MessageId();
}
