using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using ImapDirector.ClusterRun.Checks;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Scenarios;

/// <summary>A user with many messages moves while a client reads and mail comes in.</summary>
internal static partial class BigMove
{
    private const string User = "big@example.com";
    private const int Messages = 10_000, MessagesAtOnce = 100;
    private static readonly TimeSpan Around = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromMinutes(5);

    public static async Task<bool> RunAsync(TestCluster cluster, int seed, CancellationToken stop)
    {
        var (from, to) = (cluster.Nodes[0].Name, cluster.Nodes[1].Name);
        await cluster.AddUsersAsync([User], from);
        var journal = new Journal();
        await FillAsync(cluster, seed);
        var before = await ReadAsync(cluster);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var gaps = new List<TimeSpan>();
        var reading = ReadOnAsync(cluster, journal, gaps, end.Token);
        var sending = new DeliveryLoop(cluster, journal, [User], "big", seed).RunAsync(end.Token);
        await Task.Delay(Around, CancellationToken.None);
        var began = DateTime.UtcNow;
        var (exitCode, printed, error) = await cluster.OrderAsync(Patience, "user", "move", User, to);
        var took = DateTime.UtcNow - began;
        await Task.Delay(Around, CancellationToken.None);
        await end.CancelAsync();
        await Task.WhenAll(reading, sending);

        var verdict = new Verdict();
        verdict.Figure("moved", $"{before.Uids.Count} messages and {journal.Messages.Count} deliveries; the command took {took.TotalSeconds:F1} s and said: {printed.Trim()}");
        verdict.Figure("the reader was without a session for", string.Join(", ", gaps.Select(static gap => $"{gap.TotalSeconds:F2} s")));
        verdict.Figure("the longest delivery took", $"{journal.Messages.Max(static message => (message.To - message.From).TotalSeconds):F2} s");
        verdict.Invariant("the move failed", exitCode == 0 ? [] : [$"{exitCode}: {printed}{error}"]);
        var now = await cluster.NodeOfAsync(User);
        verdict.Invariant("the map names another node", now == to ? [] : [now ?? "none"]);
        var after = await ReadAsync(cluster);
        verdict.Invariant("messages of before that were not there", Enumerable.Repeat("a message", Messages - before.Uids.Count));
        verdict.Invariant("UIDVALIDITY changed", after.Validity == before.Validity ? [] : [$"{before.Validity}, {after.Validity}"]);
        verdict.Invariant("messages of before without their UID", before.Uids.Where(one => after.Uids.GetValueOrDefault(one.Key) != one.Value).Select(static one => $"{one.Key} {one.Value}"));
        await new FinalCheck(cluster, journal, [User]).RunAsync(verdict);
        Console.WriteLine(verdict);
        return verdict.Holds;
    }

    private static async Task FillAsync(TestCluster cluster, int seed)
    {
        var random = new Random(seed);
        await using var client = await LogInAsync(cluster);
        for (var number = 0; number < Messages; number += MessagesAtOnce)
        {
            var command = new StringBuilder("APPEND INBOX");
            for (var one = 0; one < MessagesAtOnce; one++)
            {
                var message = TestMessage.Create(User, $"before-{number + one}@append.example.net", random);
                command.Append(CultureInfo.InvariantCulture, $" (\\Seen) {{{message.Length}+}}\r\n{message}");
            }
            var answer = await client.AskAsync(command.ToString());
            if (!answer.IsOk) throw new InvalidOperationException($"APPEND: {answer.Text}");
        }
    }

    private static async Task<(string Validity, Dictionary<string, string> Uids)> ReadAsync(TestCluster cluster)
    {
        await using var client = await LogInAsync(cluster);
        var validity = (await client.AskAsync("EXAMINE INBOX")).Lines.Select(static line => Validity().Match(line)).First(static match => match.Success).Groups[1].Value;
        var answer = await client.AskAsync("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
        return (validity, answer.Lines.Select(static line => UidAndId().Match(line)).Where(static match => match.Success).ToDictionary(static match => match.Groups[1].Value, static match => match.Groups[2].Value));
    }

    private static async Task<MailClient> LogInAsync(TestCluster cluster)
    {
        for (var attempt = 0; attempt < 60; attempt++)
        {
            if (await SessionLoop.LogInAsync(cluster, new Journal(), User, 0) is { } open) return open.Client;
            await Task.Delay(500);
        }
        throw new InvalidOperationException("The user cannot log in.");
    }

    /// <summary>Reads messages all the time, and comes back at once where it was disconnected.</summary>
    private static async Task ReadOnAsync(TestCluster cluster, Journal journal, List<TimeSpan> gaps, CancellationToken stop)
    {
        var (random, lastAnswer) = (new Random(1), (DateTime?)null);
        for (var director = 0; !stop.IsCancellationRequested; director = (director + 1) % cluster.Directors.Count)
        {
            if (await SessionLoop.LogInAsync(cluster, journal, User, director) is not { } open)
            {
                await Task.Delay(20, CancellationToken.None);
                continue;
            }
            if (lastAnswer is { } before) gaps.Add(open.Login.To - before);
            var last = open.Login.To;
            await using var client = open.Client;
            try
            {
                await client.AskAsync("EXAMINE INBOX");
                while (!stop.IsCancellationRequested)
                {
                    var asked = DateTime.UtcNow;
                    if (!(await client.AskAsync($"FETCH {random.Next(1, Messages)} BODY.PEEK[]")).IsOk) break;
                    (last, lastAnswer) = (asked, DateTime.UtcNow);
                }
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
            {
                // The move has begun.
            }
            journal.Sessions.Add(new SessionRecord(User, open.Login.Client, open.Login.To, last, ""));
        }
    }

    [GeneratedRegex(@"UIDVALIDITY (\d+)")]
    private static partial Regex Validity();

    [GeneratedRegex(@"UID (\d+)[\s\S]*Message-ID: <([^>]*)>", RegexOptions.IgnoreCase)]
    private static partial Regex UidAndId();
}
