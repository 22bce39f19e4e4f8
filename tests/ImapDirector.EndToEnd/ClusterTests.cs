using System.Net;
using ImapDirector.Tests.Shared;
using MailKit;
using MailKit.Net.Imap;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

public sealed class ClusterTests
{
    private static readonly string[] TenUsers = [.. Enumerable.Range(0, 10).Select(number => $"user{number}@example.com")];

    [FactIfInstalled("redis-server")]
    public async Task Sessions_and_deliveries_of_a_user_go_to_one_node_and_users_to_both()
    {
        await using var cluster = await Cluster.StartAsync(TenUsers);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(cluster.Redis.ConnectionString);
        var nodes = new List<string>();
        foreach (var user in TenUsers)
        {
            await Mail.DeliverAsync(cluster.Director.Lmtp, user, Mail.Message("before any login"));
            using var first = await Mail.LogInAsync(cluster.Director.Imaps, user);
            using var second = await Mail.LogInAsync(cluster.Director.Imaps, user);
            var node = await cluster.ShowAsync(user, "node");
            Assert.Equal("2", await cluster.ShowAsync(user, "sessions"));
            Assert.Equal(node, (string?)await redis.GetDatabase().HashGetAsync($"imapdirector:{{{user}}}:assignment", "node"));
            // What one session does the other sees, and both see the delivery: they are on one node.
            await first.Inbox.OpenAsync(FolderAccess.ReadWrite);
            await second.Inbox.OpenAsync(FolderAccess.ReadOnly);
            await first.Inbox.AddFlagsAsync(0, MessageFlags.Flagged, silent: true);
            await second.NoOpAsync();
            Assert.Contains(MessageFlags.Flagged, (await second.Inbox.FetchAsync(0, 0, MessageSummaryItems.Flags)).Select(summary => summary.Flags!.Value & MessageFlags.Flagged));
            nodes.Add(node);
        }
        Assert.Equal(["node0", "node1"], nodes.Distinct().Order());
    }

    [FactIfInstalled("redis-server")]
    public async Task A_node_that_is_away_costs_its_own_users_a_clear_answer_and_nobody_else_anything()
    {
        await using var cluster = await Cluster.StartAsync(TenUsers);
        var byNode = new Dictionary<string, string>();
        foreach (var user in TenUsers)
        {
            using (await Mail.LogInAsync(cluster.Director.Imaps, user))
            {
                byNode[await cluster.ShowAsync(user, "node")] = user;
            }
        }
        await cluster.KillNodeAsync(0);
        await using (var session = await RawSession.ConnectAsync(cluster.Director.Imap))
        {
            await session.SendAsync($"a LOGIN {byNode["node0"]} \"{Mail.Password}\"");
            Assert.StartsWith("a NO [UNAVAILABLE]", await session.ReadToAsync("a NO"), StringComparison.Ordinal);
        }
        await using (var sender = await LmtpClient.BeginAsync(cluster.Director.Lmtp))
        {
            // Accepted or not at RCPT, one recipient must not fail the other.
            Assert.StartsWith("250 ", await sender.AskAsync($"RCPT TO:<{byNode["node0"]}>"), StringComparison.Ordinal);
            Assert.StartsWith("250 ", await sender.AskAsync($"RCPT TO:<{byNode["node1"]}>"), StringComparison.Ordinal);
            Assert.StartsWith("354 ", await sender.AskAsync("DATA"), StringComparison.Ordinal);
            Assert.StartsWith("4", await sender.AskAsync("Subject: x\r\n\r\nx\r\n."), StringComparison.Ordinal);
            Assert.StartsWith("250 ", await sender.ReplyAsync(), StringComparison.Ordinal);
        }
        using (var other = await Mail.LogInAsync(cluster.Director.Imaps, byNode["node1"]))
        {
            await other.Inbox.OpenAsync(FolderAccess.ReadOnly);
            Assert.Equal(1, other.Inbox.Count);
        }
        await cluster.StartNodeAsync(0);
        // It counts as away until it has answered twice.
        using var back = await cluster.LogInWithinAsync(TimeSpan.FromSeconds(60), byNode["node0"]);
        Assert.Equal("node0", await cluster.ShowAsync(byNode["node0"], "node"));
    }

    [FactIfInstalled("redis-server")]
    public async Task Without_Redis_sessions_go_on_known_users_log_in_and_others_are_told()
    {
        await using var cluster = await Cluster.StartAsync("known@example.com", "unknown@example.com");
        using var http = new HttpClient();
        var ready = new Uri(cluster.Director.Http, "/readyz");
        await UntilReadyAsync(http, ready);
        using var running = await Mail.LogInAsync(cluster.Director.Imaps, "known@example.com");
        await cluster.Redis.KillAsync();

        await running.NoOpAsync();
        using (await Mail.LogInAsync(cluster.Director.Imaps, "known@example.com"))
        {
            // Its password was right and its assignment confirmed a moment ago.
        }
        await using (var session = await RawSession.ConnectAsync(cluster.Director.Imap))
        {
            await session.SendAsync($"a LOGIN unknown@example.com \"{Mail.Password}\"");
            Assert.StartsWith("a NO [UNAVAILABLE]", await session.ReadToAsync("a NO"), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(ready)).StatusCode);

        await cluster.Redis.RestartAsync();
        await UntilReadyAsync(http, ready);
        using var unknown = await Mail.LogInAsync(cluster.Director.Imaps, "unknown@example.com");
    }

    [FactIfInstalled("redis-server")]
    public async Task A_message_over_the_nodes_limit_is_refused_and_the_session_goes_on()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await Cluster.StartAsync(Mail.Alice);
        var large = Mail.Message("large", 51 * 1024 * 1024);
        await using (var sender = await LmtpClient.BeginAsync(cluster.Director.Lmtp))
        {
            Assert.StartsWith("250 ", await sender.AskAsync($"RCPT TO:<{Mail.Alice}>"), StringComparison.Ordinal);
            Assert.StartsWith("354 ", await sender.AskAsync("DATA"), StringComparison.Ordinal);
            Assert.StartsWith("552 ", await sender.AskAsync(Mail.Stuffed(large) + "."), StringComparison.Ordinal);
        }
        await using var session = await RawSession.LogInAsync(cluster.Director.Imap);
        await session.SendAsync($"b APPEND INBOX {{{large.Length}}}");
        Assert.StartsWith("b NO [TOOBIG]", await session.ReadToAsync("b NO"), StringComparison.Ordinal);
        await session.SendAsync("c NOOP");
        await session.ReadToAsync("c OK");
    }

    private static async Task UntilReadyAsync(HttpClient http, Uri ready)
    {
        for (var attempt = 0; (await http.GetAsync(ready)).StatusCode != HttpStatusCode.OK; attempt++)
        {
            Assert.True(attempt < 300, "It is not ready.");
            await Task.Delay(100);
        }
    }
}
