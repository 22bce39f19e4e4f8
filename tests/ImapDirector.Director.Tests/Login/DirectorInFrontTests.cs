using System.Net;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Directors in front of directors: what ID says of the client, and that none goes round in circles (limits D7, P25).</summary>
public sealed class DirectorInFrontTests
{
    private const string Facts = "\"x-originating-ip\" \"192.0.2.7\" \"x-originating-port\" \"40001\" \"x-connected-ip\" \"198.51.100.1\" \"x-connected-port\" \"993\"";

    [FactIfInstalled("redis-server")]
    public async Task A_listed_director_is_believed_what_it_says_of_the_client()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var front = await director.ConnectAsync();

        await front.PlayAsync($"C: a ID ({Facts} \"x-session-id\" \"front-1\" \"x-proxy-ttl\" \"4\")", "S: * ID …", "S: a OK …", "C: b LOGIN alice secret", "S: b OK …");

        Assert.Contains($"({Facts} ", node.Session.Heard);
        Assert.Contains("\"x-proxy-ttl\" \"3\"", node.Session.Heard);
        Assert.Contains(" director1 192.0.2.7 ", Assert.Single(await director.SessionsAsync()));
        Assert.Contains(director.Lines, static line => line.StartsWith("3406 ", StringComparison.Ordinal) && line.Contains(" front-1 ", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task P25_from_anybody_else_the_facts_are_nothing()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        await client.PlayAsync($"C: a ID ({Facts} \"x-session-id\" \"front-1\" \"x-proxy-ttl\" \"5\")", "S: * ID …", "S: a OK …", "C: b LOGIN alice secret", "S: b OK …");

        Assert.Contains("(\"x-originating-ip\" \"127.0.0.1\" ", node.Session.Heard);
        Assert.DoesNotContain("front-1", node.Session.Heard);
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("127.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("fe80::1%1")]
    [InlineData("192.0.2.7 ")]
    [InlineData("")]
    [InlineData("example.com")]
    public async Task P25_what_can_be_no_address_is_none(string address)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var front = await director.ConnectAsync();

        await front.PlayAsync($"C: a ID (\"x-originating-ip\" \"{address}\" \"x-session-id\" \"a b\" \"x-originating-port\" \"99999\")", "S: * ID …", "S: a OK …", "C: b LOGIN alice secret", "S: b OK …");

        Assert.Contains("(\"x-originating-ip\" \"127.0.0.1\" ", node.Session.Heard);
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("6", 4)]
    [InlineData("5", 4)]
    [InlineData("2", 1)]
    [InlineData("1", null)]
    [InlineData("0", null)]
    [InlineData("-1", null)]
    [InlineData("many", null)]
    public async Task D7_each_director_leaves_one_hop_less_and_the_last_one_refuses(string told, int? passedOn)
    {
        await using var node = FakeImapNode.Ready();
        // Also from who is not listed: a director that is its own node is not.
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var front = await director.ConnectAsync();

        await front.PlayAsync($"C: a ID (\"x-proxy-ttl\" \"{told}\")", "S: * ID …", "S: a OK …");
        var answer = await front.AskAsync("b LOGIN alice secret");

        Assert.StartsWith(passedOn is null ? "b NO [UNAVAILABLE]" : "b OK", answer);
        if (passedOn is { } left) Assert.Contains($"\"x-proxy-ttl\" \"{left}\"", node.Session.Heard);
        else Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task D7_a_hop_count_that_was_told_does_not_grow_again()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var front = await director.ConnectAsync();

        await front.PlayAsync("C: a ID (\"x-proxy-ttl\" \"1\")", "S: * ID …", "S: a OK …", "C: b ID (\"x-proxy-ttl\" \"5\")", "S: * ID …", "S: b OK …", "C: c LOGIN alice secret", "S: c NO [UNAVAILABLE] …");
    }

    [FactIfInstalled("redis-server")]
    public async Task D7_a_director_that_is_its_own_node_refuses_after_a_few_rounds()
    {
        var port = FreePort.Next();
        var self = new BackendNode { Name = "node1", Host = "127.0.0.1", ImapPort = port, Login = NodeLogin.Password };
        await using var director = await RunningDirector.StartAsync(self, options => options with { Imap = new IPEndPoint(IPAddress.Loopback, port) });
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync("a LOGIN alice secret"));

        Assert.Single(director.Lines, static line => line.StartsWith("3409 ", StringComparison.Ordinal));
        Assert.Equal(4, director.Lines.Count(static line => line.StartsWith("3301 ", StringComparison.Ordinal)));
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData(true, "3405 ", "loop")]
    [InlineData(false, "3409 ", "too_many_hops")]
    public async Task D7_only_a_listed_director_can_alarm_operators(bool isListed, string expected, string result)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = isListed ? await StartAsync(node) : await RunningDirector.StartAsync(node.Backend);
        await using var front = await director.ConnectAsync();

        await front.PlayAsync("C: a ID (\"x-proxy-ttl\" \"1\")", "S: * ID …", "S: a OK …", "C: b LOGIN alice secret", "S: b NO [UNAVAILABLE] …");

        Assert.Contains(director.Lines, line => line.StartsWith(expected, StringComparison.Ordinal));
        Assert.Contains(director.Lines, line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains($"refused: {result},", StringComparison.Ordinal));
        Assert.Equal(isListed ? 1 : 0, director.Errors.Count);
    }

    [FactIfInstalled("redis-server")]
    public async Task P21_what_ID_said_in_the_clear_counts_no_more_behind_STARTTLS()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, options => options with { MaxConnectionsPerAddress = 1 });
        await using var front = await director.ConnectAsync();
        await front.PlayAsync($"C: a ID ({Facts} \"x-session-id\" \"front-1\" \"x-proxy-ttl\" \"1\" \"name\" \"Mallory\")", "S: * ID …", "S: a OK …", "C: b STARTTLS", "S: b OK …");
        await front.SecureAsync();

        await front.PlayAsync("C: c LOGIN alice secret", "S: c OK …");

        Assert.Contains("(\"x-originating-ip\" \"127.0.0.1\" ", node.Session.Heard);
        Assert.Contains("\"x-proxy-ttl\" \"4\"", node.Session.Heard);
        var record = Assert.Single(await director.SessionsAsync());
        Assert.Contains(" 127.0.0.1 ", record);
        Assert.DoesNotContain("Mallory", record);
        Assert.DoesNotContain(director.Lines, static line => line.Contains("front-1", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task P12_behind_STARTTLS_a_connection_takes_no_place_at_the_address_that_was_told_in_the_clear()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, options => options with { MaxConnectionsPerAddress = 1 });
        await using var front = await director.ConnectAsync();
        await front.PlayAsync($"C: a ID ({Facts})", "S: * ID …", "S: a OK …", "C: b STARTTLS", "S: b OK …");
        await front.SecureAsync();
        await front.PlayAsync("C: c NOOP", "S: c OK …");

        await using var other = await director.ConnectAsync();
        await other.PlayAsync($"C: a ID ({Facts})", "S: * ID …", "S: a OK …");
    }

    [FactIfInstalled("redis-server")]
    public async Task P12_clients_behind_a_director_are_counted_each_at_their_own_address()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, options => options with { MaxConnectionsPerAddress = 1 });
        await using var first = await director.ConnectAsync();
        await first.PlayAsync($"C: a ID ({Facts})", "S: * ID …", "S: a OK …");
        await using var other = await director.ConnectAsync();
        await other.PlayAsync($"C: a ID ({Facts.Replace("192.0.2.7", "192.0.2.8", StringComparison.Ordinal)})", "S: * ID …", "S: a OK …");

        await using var second = await director.ConnectAsync();
        await second.PlayAsync($"C: a ID ({Facts})", "S: * BYE …", "END");
        Assert.Equal(["TM"], await director.EndCodesAsync());
    }

    private static Task<RunningDirector> StartAsync(FakeImapNode node, Func<DirectorOptions, DirectorOptions>? with = null) =>
        RunningDirector.StartAsync(node.Backend, options =>
        {
            var behind = options with { DirectorNetworks = [IPNetwork.Parse("127.0.0.0/8")], AllowPlainTextLogin = true };
            return with?.Invoke(behind) ?? behind;
        });
}
