using System.Net;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class ProxyHeaderTests
{
    private const string Header = "PROXY TCP4 192.0.2.7 198.51.100.1 40001 993\r\n";

    [FactIfInstalled("redis-server")]
    public async Task P25_what_a_listed_load_balancer_says_of_its_client_is_what_counts()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);

        await client.SendAsync(Header + "a LOGIN alice secret\r\nb STARTTLS\r\n");
        // It is no loopback client any more.
        await client.PlayAsync("S: * OK [CAPABILITY IMAP4rev1 …", "S: a NO [PRIVACYREQUIRED] …", "S: b OK …");
        await client.SecureAsync();
        await client.PlayAsync("C: c LOGIN alice secret", "S: c OK …");

        Assert.Contains("(\"x-originating-ip\" \"192.0.2.7\" \"x-originating-port\" \"40001\" \"x-connected-ip\" \"198.51.100.1\" \"x-connected-port\" \"993\" ", node.Session.Heard);
        Assert.Contains(" director1 192.0.2.7 ", Assert.Single(await director.SessionsAsync()));
    }

    [FactIfInstalled("redis-server")]
    public async Task P25_version_2_counts_the_same_and_its_TLVs_do_not_matter()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, options => options with { AllowPlainTextLogin = true });
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);

        await client.SendAsync([.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 15, 192, 0, 2, 7, 198, 51, 100, 1, 0x9C, 0x41, 0x03, 0xE1, 0x04, 0, 0, .. "a LOGIN alice secret\r\n"u8]);
        await client.PlayAsync("S: * OK …", "S: a OK …");

        Assert.Contains("(\"x-originating-ip\" \"192.0.2.7\" \"x-originating-port\" \"40001\" \"x-connected-ip\" \"198.51.100.1\" \"x-connected-port\" \"993\" ", node.Session.Heard);
    }

    public static TheoryData<string, byte[]> HealthChecks => new()
    {
        { "version 1", "PROXY UNKNOWN\r\n"u8.ToArray() },
        { "version 2", [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0] },
    };

    [TheoryIfInstalled("redis-server"), MemberData(nameof(HealthChecks))]
    public async Task A_load_balancer_that_speaks_for_itself_is_served_as_itself(string version, byte[] header)
    {
        Assert.NotEmpty(version);
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);

        await client.SendAsync(header);
        await client.PlayAsync("S: * OK …", "C: a LOGOUT", "S: * BYE …", "S: a OK …", "END");

        Assert.Contains(director.Lines, static line => line.Contains(" LO user= node= client=127.0.0.1:", StringComparison.Ordinal));
    }

    public static TheoryData<string, byte[]> Broken => new()
    {
        { "a version 1 line over its length", System.Text.Encoding.ASCII.GetBytes("PROXY UNKNOWN " + new string('x', 92) + "\r\n") },
        { "version 2 over its length", [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0x02, 0x19, .. new byte[537]] },
        { "version 2 with too little for its family", [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 11, .. new byte[11]] },
        { "version 3", [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x31, 0x11, 0, 12, .. new byte[12]] },
    };

    [TheoryIfInstalled("redis-server"), MemberData(nameof(Broken))]
    public async Task A_broken_header_ends_the_connection_without_a_word(string what, byte[] header)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);

        await client.SendAsync(header);

        Assert.True(await client.ReadToEndAsync() is "", what);
        Assert.Equal(["PH"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task Half_a_header_is_waited_for_no_longer_than_a_login()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, options => options with { LoginTimeout = TimeSpan.FromSeconds(3) });
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);

        await client.SendAsync(Header[..20]);

        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(["LT"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task A_handshake_may_come_in_the_same_packet_as_the_header()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapsEndPoint!);
        client.Socket.NoDelay = false;

        await client.SendAsync(Header);
        await client.SecureAsync();

        await client.PlayAsync("S: * OK …", "C: a LOGIN alice secret", "S: a OK …");
    }

    [FactIfInstalled("redis-server")]
    public async Task A_listed_load_balancer_that_sends_no_header_is_not_served()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);

        await client.SendAsync("a LOGIN alice secret\r\n");

        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(["PH"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task P25_from_anybody_else_a_header_is_a_bad_command()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        await client.SendAsync(Header + "a LOGIN alice secret\r\n");
        await client.PlayAsync("S: PROXY BAD …", "S: a OK …");

        Assert.Contains("(\"x-originating-ip\" \"127.0.0.1\" ", node.Session.Heard);
    }

    [FactIfInstalled("redis-server")]
    public async Task P12_clients_behind_a_load_balancer_are_counted_each_at_their_own_address()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, options => options with { MaxConnectionsPerAddress = 2 });
        var clients = new List<ImapConversation>();
        for (var host = 1; host <= 4; host++)
        {
            for (var i = 0; i < 2; i++)
            {
                clients.Add(await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!));
                await clients[^1].SendAsync($"PROXY TCP4 192.0.2.{host} 198.51.100.1 40001 993\r\n");
                await clients[^1].PlayAsync("S: * OK …");
            }
        }
        await using var tooMany = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);
        await tooMany.SendAsync(Header.Replace("192.0.2.7", "192.0.2.1", StringComparison.Ordinal));

        Assert.Equal("", await tooMany.ReadToEndAsync());
        Assert.Equal(["TM"], await director.EndCodesAsync());
        foreach (var client in clients) await client.DisposeAsync();
    }

    private static Task<RunningDirector> StartAsync(FakeImapNode node, Func<DirectorOptions, DirectorOptions>? with = null) =>
        RunningDirector.StartAsync(node.Backend, options =>
        {
            var behind = options with { ProxyNetworks = [IPNetwork.Parse("127.0.0.0/8")] };
            return with?.Invoke(behind) ?? behind;
        });
}
