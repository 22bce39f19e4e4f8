using System.Globalization;
using ImapDirector.Tests.Shared;
using MailKit;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>Two Dovecots with one directory for all mail: when one is lost, its users go to the other.</summary>
public sealed class SharedStorageTests
{
    [FactIfInstalled("redis-server", "dovecot")]
    public async Task Users_of_a_node_that_is_lost_log_in_at_another_that_shares_its_storage()
    {
        using var directory = new TemporaryDirectory();
        var mail = Directory.CreateDirectory(directory.File("mail")).FullName;
        await DovecotServer.GiveAsync(mail);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(directory.Path, (UnixFileMode)0b111_101_101);
        await using var redis = await RedisServer.StartAsync();
        var one = await DovecotServer.StartAsync(mail: mail);
        var other = await DovecotServer.StartAsync(mail: mail);
        await using var well = await DovecotServer.StartAsync(mail: mail);
        DovecotServer[] nodes = [one, other, well];
        await WriteAsync(directory, redis, nodes);
        await using var director = await RunningProgram.StartAsync("director", "--config", directory.File("director.json"));
        foreach (var user in new[] { Mail.Alice, "bob@example.com" }) Assert.Equal(0, (await RunningProgram.RunAsync(Mail.Password + "\n", "user", "add", user, "--config", directory.File("director.json"))).ExitCode);
        await using var probe = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        // Both are on the one that will be lost.
        foreach (var user in new[] { Mail.Alice, "bob@example.com" }) await probe.GetDatabase().HashSetAsync(KeyOf(user), [new("node", "node0"), new("epoch", 1)]);

        using var running = await Mail.LogInAsync(director.Imaps);
        await running.Inbox.AppendAsync(MimeKit.MimeMessage.Load(new MemoryStream(System.Text.Encoding.ASCII.GetBytes("Subject: here\r\n\r\nhello\r\n"))), MessageFlags.None);
        await one.DisposeAsync();
        var again = await LogInAsync(director);
        await again.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal(1, again.Inbox.Count);
        var now = await probe.GetDatabase().HashGetAsync(KeyOf(Mail.Alice), ["node", "epoch", "moving"]);
        Assert.Contains(now[0].ToString(), (string[])["node1", "node2"]);
        Assert.Equal((3, true), ((int)now[1], now[2].IsNull));
        again.Dispose();
        // Of bob nobody has heard.
        Assert.Equal("node0", await probe.GetDatabase().HashGetAsync(KeyOf("bob@example.com"), "node"));
        Assert.Contains("next login  goes to node", (await RunningProgram.RunAsync("", "user", "explain", "bob@example.com", "--config", directory.File("director.json"))).Printed, StringComparison.Ordinal);
        await other.DisposeAsync();
    }

    // Until it is found out that the node is away, a login is refused.
    private static async Task<MailKit.Net.Imap.ImapClient> LogInAsync(RunningProgram director)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await Mail.LogInAsync(director.Imaps);
            }
            catch (Exception refused) when (refused is MailKit.Security.AuthenticationException or MailKit.Net.Imap.ImapCommandException && attempt < 50)
            {
                await Task.Delay(200);
            }
        }
    }

    private static string KeyOf(string user) => $"imapdirector:{{{user}}}:assignment";

    private static async Task WriteAsync(TemporaryDirectory directory, RedisServer redis, DovecotServer[] nodes)
    {
        await File.WriteAllTextAsync(directory.File("token"), "0123456789abcdef0123456789abcdef\n");
        var listed = nodes.Select(static (node, number) => string.Create(CultureInfo.InvariantCulture,
            $$"""{ "Name": "node{{number}}", "Kind": "Generic", "Host": "127.0.0.1", "ImapPort": {{node.EndPoint.Port}}, "LmtpPort": {{node.LmtpEndPoint.Port}}, "MasterUser": "{{DovecotServer.MasterUser}}", "MasterPassword": "{{DovecotServer.MasterPassword}}" }"""));
        await File.WriteAllTextAsync(directory.File("director.json"), $$"""
            {
              "Imaps": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "Http": "127.0.0.1:{{FreePort.Next()}}", "ApiTokenFile": "{{directory.File("token")}}",
              "Redis": "{{redis.ConnectionString}}", "RedisTimeout": "5s", "FailureDelay": "10ms",
              "NodeCheckInterval": "200ms", "NodeCheckFall": 2, "UnfencedMoveDelay": "200ms",
              "SharedStoragePools": ["default"],
              "SelfSignedDirectory": "{{directory.File("tls")}}",
              "Nodes": [ {{string.Join(",\n", listed)}} ],
            }
            """);
    }
}
