using System.Net;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class LoginReferralTests
{
    [Theory]
    [InlineData("imap://node2.example.com/", "node2.example.com", 143)]
    [InlineData("imap://node2.example.com:2143", "node2.example.com", 2143)]
    [InlineData("IMAP://127.0.0.2:2143/", "127.0.0.2", 2143)]
    [InlineData("imap://;AUTH=*@node2.example.com/", "node2.example.com", 143)]
    [InlineData("imap://alice%40example.com;AUTH=PLAIN@node2.example.com/", "node2.example.com", 143)]
    public void A_referral_names_a_host_and_a_port(string url, string host, int port) =>
        Assert.Equal(new LoginReferral(host, port), LoginReferral.Parse(url, TestDirector.User("alice@example.com")));

    [Theory]
    [InlineData("imap://bob%40example.com@node2.example.com/")]
    [InlineData("imaps://node2.example.com/")]
    [InlineData("http://node2.example.com/")]
    [InlineData("node2.example.com")]
    [InlineData("imap:///INBOX")]
    [InlineData("imap://node2:99999/")]
    [InlineData("")]
    public void What_is_none_for_this_user_is_none(string url) => Assert.Null(LoginReferral.Parse(url, TestDirector.User("alice@example.com")));

    [FactIfInstalled("redis-server")]
    public async Task A_referral_to_a_node_that_is_known_is_followed()
    {
        await using var second = FakeImapNode.Ready("node2");
        await using var first = Referring($"imap://127.0.0.1:{second.Backend.ImapPort}/");
        await using var director = await StartAsync(first, second);

        await using var client = await director.LogInAsync();

        Assert.Equal("alice@example.com\0director\0node secret", second.Session.Credentials);
        await first.Session.Closed;
        // A kick of the node that the session is at finds it.
        await client.PlayAsync("C: b LOGOUT");
        await second.Session.UntilHeardAsync("LOGOUT");
        second.Session.Close();
        await client.ReadToEndAsync();
        await client.DisposeAsync();
        await director.EndCodesAsync();
        Assert.Contains(director.Lines, static line => line.StartsWith("3401 ", StringComparison.Ordinal) && line.Contains(" node=node2 ", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task R1_a_referral_to_anywhere_else_is_not_followed()
    {
        await using var stranger = FakeImapNode.Ready("stranger");
        await using var second = FakeImapNode.Ready("node2");
        await using var first = Referring($"imap://127.0.0.1:{stranger.Backend.ImapPort}/");
        await using var director = await StartAsync(first, second);
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync("a LOGIN alice secret"));

        Assert.Empty(stranger.Sessions);
        Assert.Empty(second.Sessions);
        Assert.Contains(director.Lines, static line => line.StartsWith("3305 ", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_bundled_node_refers_nobody()
    {
        await using var second = FakeImapNode.Ready("node2");
        await using var first = Referring($"imap://127.0.0.1:{second.Backend.ImapPort}/");
        await using var director = await StartAsync(first, second, BackendKind.Bundled);
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync("a LOGIN alice secret"));
        Assert.Empty(second.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_referral_in_circles_is_followed_once()
    {
        var ports = new int[2];
        await using var second = Referring(() => $"imap://127.0.0.1:{ports[0]}/", "node2");
        await using var first = Referring($"imap://127.0.0.1:{second.Backend.ImapPort}/");
        ports[0] = first.Backend.ImapPort;
        await using var director = await StartAsync(first, second);
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync("a LOGIN alice secret"));

        Assert.Single(first.Sessions);
        Assert.Single(second.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_the_users_own_password_is_asked_for_no_referral_makes_a_masters_login_of_it()
    {
        await using var second = FakeImapNode.Ready("node2");
        await using var first = Referring($"imap://127.0.0.1:{second.Backend.ImapPort}/");
        await using var director = await StartAsync(first, second, login: NodeLogin.Password);

        await using var client = await director.LogInAsync();

        Assert.Equal("\0alice@example.com\0secret", second.Session.Credentials);
    }

    private static FakeImapNode Referring(string url) => Referring(() => url, "node1");

    private static FakeImapNode Referring(Func<string> url, string name) => new(async session =>
    {
        await session.WriteLineAsync(NodeSession.Greeting);
        await session.AnswerLoginAsync($"NO [REFERRAL {url()}] elsewhere");
        await session.ListenAsync();
    }, name);

    private static async Task<RunningDirector> StartAsync(FakeImapNode first, FakeImapNode second, BackendKind kind = BackendKind.Generic, NodeLogin login = NodeLogin.Master)
    {
        BackendNode[] nodes = [first.Backend with { Kind = kind, Login = login }, second.Backend with { Kind = BackendKind.Generic }];
        var director = await RunningDirector.StartAsync(nodes[0], options => options with { Nodes = nodes });
        await director.Redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 1)]);
        return director;
    }
}
