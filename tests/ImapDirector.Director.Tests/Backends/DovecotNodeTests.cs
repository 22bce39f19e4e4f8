using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

/// <summary>A director in front of real Dovecot.</summary>
public sealed class DovecotNodeTests
{
    [FactIfInstalled("redis-server", "dovecot")]
    public async Task A_user_logs_in_as_themselves_through_the_master_login_and_works_there()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        await using var director = await RunningDirector.StartAsync(NodeOf(dovecot));
        await using var client = await director.ConnectAsync();

        Assert.Matches(@"^a OK \[CAPABILITY IMAP4rev1 .*\bIDLE\b.*\] Logged in\.$", await client.AskAsync("a LOGIN Alice secret"));
        Assert.StartsWith("b OK ", await client.AskAsync("b SELECT INBOX"));
        await client.SendAsync("c APPEND INBOX {25+}\r\nSubject: test\r\n\r\nHello.\r\n\r\n");
        Assert.StartsWith("c OK ", (await client.ReadUntilAsync("c"))[^1]);
        await client.SendAsync("d FETCH 1 BODY[TEXT]\r\n");
        Assert.Contains("Hello.", await client.ReadUntilAsync("d"));
        await client.PlayAsync("C: e LOGOUT", "S: * BYE …", "S: e OK …", "END");

        await client.DisposeAsync();
        Assert.Equal(["NC"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server", "dovecot")]
    public async Task Dovecot_takes_the_clients_address_and_the_sessions_id_from_us()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        await using var director = await RunningDirector.StartAsync(NodeOf(dovecot),
            options => options with { AllowPlainTextLogin = true, ProxyNetworks = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);
        await client.SendAsync("PROXY TCP4 192.0.2.7 198.51.100.1 40001 993\r\n");
        await client.PlayAsync("S: * OK …");
        Assert.StartsWith("a OK ", await client.AskAsync("a LOGIN alice secret"));
        var id = (await director.Redis.Database.HashKeysAsync(RunningDirector.AliceSessions)).Single().ToString();

        var log = "";
        await TestDirector.UntilAsync(async () => (log = await dovecot.ReadLogAsync()).Contains("user=<alice@example.com>", StringComparison.Ordinal));

        Assert.Contains($"rip=192.0.2.7:40001, lip=198.51.100.1, session=<{id}>", log);
    }

    [FactIfInstalled("redis-server", "dovecot")]
    public async Task Dovecot_takes_the_clients_address_from_a_PROXY_header_and_the_probe_has_one_of_its_own()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        var node = NodeOf(dovecot) with { ImapPort = dovecot.ProxiedEndPoint.Port, SendProxyHeader = true };
        await using var director = await RunningDirector.StartAsync(node, options => options with
        {
            AllowPlainTextLogin = true,
            ProxyNetworks = [System.Net.IPNetwork.Parse("127.0.0.0/8")],
            NodeCheckInterval = TimeSpan.FromMilliseconds(100),
        });
        // What Dovecot offers is only known once it has taken the probe's header.
        await TestDirector.UntilAsync(async () =>
        {
            await using var stranger = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);
            await stranger.SendAsync("PROXY UNKNOWN\r\n");
            return (await stranger.ReadLineAsync())!.Contains("ENABLE IDLE LITERAL+", StringComparison.Ordinal);
        });
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);
        await client.SendAsync("PROXY TCP6 2001:db8::7 2001:db8::1 40001 993\r\n");
        await client.PlayAsync("S: * OK …");
        Assert.StartsWith("a OK ", await client.AskAsync("a LOGIN alice secret"));

        var log = "";
        await TestDirector.UntilAsync(async () => (log = await dovecot.ReadLogAsync()).Contains("user=<alice@example.com>", StringComparison.Ordinal));
        Assert.Contains("rip=2001:db8::7:40001, lip=2001:db8::1", log);
    }

    [FactIfInstalled("redis-server", "dovecot")]
    public async Task Commands_pipelined_behind_the_login_are_answered_in_order()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        await using var director = await RunningDirector.StartAsync(NodeOf(dovecot));
        await using var client = await director.ConnectAsync();

        await client.SendAsync("a LOGIN alice secret\r\nb SELECT INBOX\r\nc NOOP\r\nd LOGOUT\r\n");

        foreach (var tag in (string[])["a", "b", "c", "d"]) Assert.StartsWith($"{tag} OK ", (await client.ReadUntilAsync(tag))[^1]);
    }

    [FactIfInstalled("redis-server", "dovecot")]
    public async Task With_a_wrong_master_password_the_user_is_told_nothing_about_theirs()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        await using var director = await RunningDirector.StartAsync(NodeOf(dovecot) with { MasterPassword = "wrong" });
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [UNAVAILABLE] ", await client.AskAsync("a LOGIN alice secret"));
        Assert.Empty(await director.SessionsAsync());
    }

    [FactIfInstalled("redis-server", "dovecot")]
    public async Task With_the_users_own_password_no_master_is_needed()
    {
        await using var dovecot = await DovecotServer.StartAsync(RunningDirector.Password);
        await using var director = await RunningDirector.StartAsync(NodeOf(dovecot) with { Login = NodeLogin.Password, MasterPassword = "" });

        await using var client = await director.LogInAsync();
        Assert.StartsWith("b OK ", await client.AskAsync("b SELECT INBOX"));
        Assert.DoesNotContain(director.Lines, static line => line.Contains(RunningDirector.Password, StringComparison.Ordinal));
    }

    internal static BackendNode NodeOf(DovecotServer dovecot) => new()
    {
        Name = "node1",
        Host = "127.0.0.1",
        ImapPort = dovecot.EndPoint.Port,
        MasterUser = DovecotServer.MasterUser,
        MasterPassword = DovecotServer.MasterPassword,
    };
}
