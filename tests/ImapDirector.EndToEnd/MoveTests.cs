using System.Globalization;
using System.Net;
using ImapDirector.Tests.Shared;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Security;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.EndToEnd;

public sealed class MoveTests(ITestOutputHelper output)
{
    [FactIfInstalled("redis-server")]
    public async Task A_user_moves_with_everything_and_the_next_login_goes_to_the_new_node()
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice]);
        for (var number = 0; number < 5; number++) await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message($"message {number}", number % 2 == 0 ? 100 : 100_000));
        using var before = await Mail.LogInAsync(cluster.Director.Imaps);
        await before.Inbox.OpenAsync(FolderAccess.ReadWrite);
        await before.Inbox.AddFlagsAsync(1, MessageFlags.Flagged, silent: true);
        await before.Inbox.AddFlagsAsync(3, MessageFlags.Deleted, silent: true);
        await before.Inbox.ExpungeAsync();
        var (validity, listed) = (before.Inbox.UidValidity, await ListAsync(before));

        var (code, printed, error) = await cluster.RunAsync("user", "move", Mail.Alice, "node1", "--dry-run");
        Assert.Equal((0, $"{Mail.Alice} would move from node0 to node1.\n"), (code, printed));
        (code, printed, error) = await cluster.RunAsync("user", "move", Mail.Alice, "node1");
        Assert.True(code == 0, error);
        Assert.Contains("has moved from node0 to node1: 4 messages", printed, StringComparison.Ordinal);

        Assert.Equal("node1", await cluster.NodeOfAsync(Mail.Alice));
        Assert.Equal([(1, Mail.Alice, "Active", 4L, 3L)], await cluster.HeldAsync());
        using var after = await Mail.LogInAsync(cluster.Director.Imaps);
        await after.Inbox.OpenAsync(FolderAccess.ReadWrite);
        Assert.Equal((validity, listed), (after.Inbox.UidValidity, await ListAsync(after)));
        await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("later"));
        await after.NoOpAsync();
        Assert.Equal(5, after.Inbox.Count);
        Assert.Single(Directory.EnumerateFiles(Path.Combine(cluster.DataOf(0), "moved"), "mail.db", SearchOption.AllDirectories));

        // And back, over the copy that was set aside.
        (code, _, error) = await cluster.RunAsync("user", "move", Mail.Alice, "node0");
        Assert.True(code == 0, error);
        using var back = await Mail.LogInAsync(cluster.Director.Imaps);
        await back.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal((validity, 5), (back.Inbox.UidValidity, back.Inbox.Count));
        Assert.Equal([(0, Mail.Alice, "Active", 5L, 5L)], await cluster.HeldAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task While_a_client_reads_and_mail_comes_nothing_is_lost_and_nothing_comes_twice()
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice], directors: 2);
        await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("first"));
        using var stop = new CancellationTokenSource();
        var reader = ReadOnAsync(cluster.DirectorAt(1).Imaps, stop.Token);
        var sender = SendOnAsync(cluster.Director.Lmtp, stop.Token);
        foreach (var node in new[] { "node1", "node0", "node1", "node0" })
        {
            var (code, printed, error) = await cluster.RunAsync("user", "move", Mail.Alice, node);
            Assert.True(code == 0, error);
            output.WriteLine(printed.Trim());
        }
        await stop.CancelAsync();
        var (acknowledged, deferred) = await sender;
        var (looks, refused) = await reader;
        output.WriteLine($"{acknowledged.Count} acknowledged, {deferred} deferred; {looks} looks, {refused} logins refused");
        using var client = await Mail.LogInAsync(cluster.Director.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        var found = (await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.Envelope)).Select(static message => message.Envelope!.Subject!).Skip(1).ToList();
        Assert.Equal(acknowledged, found);
        Assert.True(looks > 0);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_cannot_be_is_refused_with_the_reason()
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice], nodes: 3);
        await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("one"));
        var node = (await cluster.NodeOfAsync(Mail.Alice))!;
        var other = node == "node0" ? "node1" : "node0";

        Assert.Contains("nearest names are node0, node1, node2", await RefusedAsync(cluster, 3, Mail.Alice, "node7"), StringComparison.Ordinal);
        Assert.Contains($"nearest name is {Mail.Alice}", await RefusedAsync(cluster, 3, "alise@example.com", other), StringComparison.Ordinal);
        Assert.Contains("The name cannot be used", await RefusedAsync(cluster, 65, "al ice", other), StringComparison.Ordinal);
        Assert.Equal(0, (await cluster.RunAsync("user", "move", Mail.Alice, node)).ExitCode);
        await cluster.RunAsync("nodes", "drain", other);
        Assert.Contains($"node {other} is draining", await RefusedAsync(cluster, 75, Mail.Alice, other), StringComparison.Ordinal);
        await cluster.RunAsync("nodes", "down", other);
        Assert.Contains($"node {other} is down", await RefusedAsync(cluster, 75, Mail.Alice, other), StringComparison.Ordinal);
        Assert.Contains("There is no pool \"defualt\": the nearest name is default.", await RefusedAsync(cluster, 3, Mail.Alice, "pool:defualt"), StringComparison.Ordinal);
        Assert.Contains($"no other node of pool default takes users who are on {node}", await RefusedAsync(cluster, 75, Mail.Alice, "pool:default"), StringComparison.Ordinal);
        foreach (var (from, to) in new[] { ("node7", other), ("pool:default", other), (node, "node7"), (node, "pool:defualt") })
            Assert.Equal(3, (await cluster.RunAsync("user", "move", "--all", "--from", from, "--to", to)).ExitCode);
        // One that does not answer is found out by the director; the user stays.
        await cluster.KillNodeAsync(2);
        Assert.Contains($"stays at {node}", await RefusedAsync(cluster, 75, Mail.Alice, "node2"), StringComparison.Ordinal);
        using var client = await Mail.LogInAsync(cluster.Director.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal(1, client.Inbox.Count);
        Assert.Equal("", (await cluster.RunAsync("moves", "list")).Printed);
    }

    private static async Task<string> RefusedAsync(MovingCluster cluster, int expected, string user, string node)
    {
        var (code, printed, error) = await cluster.RunAsync("user", "move", user, node);
        Assert.True(code == expected, $"{code}: {printed} {error}");
        return error;
    }

    private static async Task<string> ListAsync(ImapClient client) => string.Join('\n', (await client.Inbox.FetchAsync(0, -1,
        MessageSummaryItems.UniqueId | MessageSummaryItems.Flags | MessageSummaryItems.ModSeq | MessageSummaryItems.InternalDate | MessageSummaryItems.Envelope | MessageSummaryItems.EmailId | MessageSummaryItems.Size))
        .Select(static message => $"{message.UniqueId} {message.Flags & ~MessageFlags.Recent} {message.ModSeq} {message.InternalDate} {message.Envelope!.Subject!} {message.EmailId} {message.Size}"));

    /// <summary>Delivers one message after another, each until it is taken.</summary>
    internal static async Task<(List<string> Acknowledged, int Deferred)> SendOnAsync(IPEndPoint lmtp, CancellationToken stop, string user = Mail.Alice)
    {
        var (acknowledged, deferred) = (new List<string>(), 0);
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var subject = string.Create(CultureInfo.InvariantCulture, $"on its way {number}");
            while (true)
            {
                await using var client = await LmtpClient.BeginAsync(lmtp);
                var reply = await client.AskAsync($"RCPT TO:<{user}>");
                if (reply.StartsWith("250 ", StringComparison.Ordinal)) reply = (await client.DataAsync(Mail.Stuffed(Mail.Message(subject)), 1))[0];
                if (reply.StartsWith("250 ", StringComparison.Ordinal)) break;
                Assert.StartsWith("4", reply, StringComparison.Ordinal);
                deferred++;
                await Task.Delay(20, CancellationToken.None);
            }
            acknowledged.Add(subject);
        }
        return (acknowledged, deferred);
    }

    /// <summary>Logs in and looks, again and again; a session that ends is begun anew.</summary>
    internal static async Task<(int Looks, int Refused)> ReadOnAsync(IPEndPoint imaps, CancellationToken stop, string user = Mail.Alice)
    {
        var (looks, refused, most) = (0, 0, 0);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var client = await Mail.LogInAsync(imaps, user);
                await client.Inbox.OpenAsync(FolderAccess.ReadOnly, CancellationToken.None);
                for (var look = 0; look < 50 && !stop.IsCancellationRequested; look++)
                {
                    await client.NoOpAsync(CancellationToken.None);
                    Assert.True(client.Inbox.Count >= most, "Messages have gone.");
                    most = client.Inbox.Count;
                    looks++;
                }
            }
            catch (AuthenticationException)
            {
                refused++;
            }
            catch (Exception ended) when (ended is IOException or ServiceNotConnectedException or ImapProtocolException or ImapCommandException or ServiceNotAuthenticatedException)
            {
                // Kicked.
            }
        }
        return (looks, refused);
    }
}
