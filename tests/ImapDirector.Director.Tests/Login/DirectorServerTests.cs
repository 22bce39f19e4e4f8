using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class DirectorServerTests
{
    private const string Bye = "* BYE The session is closed, please connect again.\r\n";

    [FactIfInstalled("redis-server")]
    public async Task It_is_ready_while_Redis_and_a_node_are_there_and_it_is_not_draining()
    {
        var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { RedisTimeout = TimeSpan.FromSeconds(1) });
        await TestDirector.UntilAsync(async () => await ReasonAsync(director) is null);

        await director.Redis.Process.KillAsync();
        await TestDirector.UntilAsync(async () => await ReasonAsync(director) == "Redis is away");
        await director.Redis.Process.RestartAsync();
        await TestDirector.UntilAsync(async () => await ReasonAsync(director) is null);

        await node.DisposeAsync();
        await TestDirector.UntilAsync(async () => await ReasonAsync(director) == "no node is reachable");

        await director.Server.DrainAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("draining", await ReasonAsync(director));
    }

    [FactIfInstalled("redis-server")]
    public async Task With_a_Redis_that_hangs_it_says_so_instead_of_hanging()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);

        await director.Redis.Process.StallAsync();
        try
        {
            Assert.Equal("Redis does not answer in time", await ReasonAsync(director));
        }
        finally
        {
            await director.Redis.Process.ResumeAsync();
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task It_starts_without_Redis_and_logs_users_in_when_it_comes()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var node = FakeImapNode.Ready();
        await using (var before = await RunningDirector.StartAsync(node.Backend, redis: redis)) await before.AddUserAsync("alice", RunningDirector.Password);
        await redis.Process.KillAsync();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { RedisTimeout = TimeSpan.FromSeconds(1) }, redis);
        await using var client = await director.ConnectAsync();
        await TestDirector.UntilAsync(async () => await ReasonAsync(director) == "Redis is away");
        await client.PlayAsync("C: a LOGIN alice secret", "S: a NO [UNAVAILABLE] …");

        await redis.Process.RestartAsync();

        await TestDirector.UntilAsync(async () =>
        {
            await using var again = await director.ConnectAsync();
            return (await again.AskAsync("a LOGIN alice secret")).StartsWith("a OK ", StringComparison.Ordinal);
        });
    }

    [FactIfInstalled("redis-server")]
    public async Task A_drain_says_BYE_to_everybody_and_leaves_no_record()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var running = await director.LogInAsync();
        await using var inside = await director.LogInAsync();
        Assert.Equal(1, await director.Redis.Database.SortedSetLengthAsync(RedisKeys.Leases));
        await using var stranger = await director.ConnectAsync();
        await node.Sessions.Last().WriteAsync("* 1 FETCH (BODY[] {100}\r\nhalf");
        await inside.ReadExactlyAsync(29);

        await director.Server.DrainAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(Bye, await running.ReadToEndAsync());
        Assert.Equal("* BYE The server is going down, please connect again.\r\n", await stranger.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(inside.ReadToEndAsync);
        Assert.Equal(["DR", "KI", "KI"], (await director.EndCodesAsync(3)).Order());
        Assert.Empty(await director.SessionsAsync());
        Assert.Equal(0, await director.Redis.Database.SortedSetLengthAsync(RedisKeys.Leases));
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(director.ConnectAsync);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_drain_does_not_wait_for_a_client_that_takes_nothing()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.LogInAsync();
        var flood = FloodAsync(node.Session);
        await TestDirector.UntilAsync(() => Task.FromResult(node.Session.Socket.Poll(0, System.Net.Sockets.SelectMode.SelectWrite) == false));

        await director.Server.DrainAsync(TimeSpan.FromMilliseconds(100));

        Assert.Equal(["KI"], await director.EndCodesAsync());
        Assert.Empty(await director.SessionsAsync());
        // Between two writes it finds its own end closed.
        Assert.True(await Record.ExceptionAsync(() => flood) is IOException or ObjectDisposedException);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_drain_ends_a_login_that_is_under_way_and_leaves_no_record_of_it()
    {
        await using var node = new FakeImapNode(session => session.ListenAsync());
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { FailureDelay = TimeSpan.FromSeconds(30) });
        await using var atNode = await director.ConnectAsync();
        await using var refused = await director.ConnectAsync();
        await atNode.SendAsync("a LOGIN alice secret\r\n");
        await refused.SendAsync("a LOGIN bob wrong\r\n");
        await TestDirector.UntilAsync(async () => node.Sessions.Count == 1 && (await director.SessionsAsync()).Count == 1 && director.Lines.Any(line => line.StartsWith("3402 ", StringComparison.Ordinal)));

        await director.Server.DrainAsync(TimeSpan.FromSeconds(20));

        foreach (var client in (ImapConversation[])[atNode, refused])
            Assert.Equal("* BYE The server is going down, please connect again.\r\n", await client.ReadToEndAsync());
        Assert.Empty(await director.SessionsAsync());
        await node.Session.Closed;
    }

    [FactIfInstalled("redis-server")]
    public async Task Restarted_it_finds_its_users_where_they_were_and_counts_no_session_of_its_former_life()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var node1 = FakeImapNode.Ready("node1");
        await using var node2 = FakeImapNode.Ready("node2");
        Task<RunningDirector> StartAsync() => RunningDirector.StartAsync(node1.Backend,
            options => options with { Nodes = [node1.Backend, node2.Backend], MaxSessionsPerUserAddress = 1 }, redis);
        string[] users = ["alice", "bob", "carol", "dave"];
        await using (var first = await StartAsync())
        {
            foreach (var user in users)
            {
                await first.AddUserAsync(user, RunningDirector.Password);
                await using var client = await first.LogInAsync(user);
            }
        }
        var before = CredentialsOf(node1).Concat(CredentialsOf(node2)).ToArray();

        await using var second = await StartAsync();
        foreach (var user in users)
        {
            await using var client = await second.LogInAsync(user);
        }

        Assert.Equal(users.Length, before.Length);
        foreach (var node in (FakeImapNode[])[node1, node2])
            Assert.All(CredentialsOf(node).GroupBy(credentials => credentials), sessions => Assert.Equal(2, sessions.Count()));
    }

    [FactIfInstalled("redis-server")]
    public async Task P12_a_stranger_too_many_from_one_address_is_turned_away_until_another_has_logged_in()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { MaxConnectionsPerAddress = 2 });
        await using var first = await director.ConnectAsync();
        // Its handshake is over, so that it has been accepted before the third, which another thread may accept.
        await using var second = await director.SecureAsync();

        Assert.False(await IsGreetedAsync(director));
        Assert.Contains("imapdirector_connections_refused_total{listener=\"imap\"} 1\n", await director.MetricsTextAsync(), StringComparison.Ordinal);
        Assert.Single(director.Lines, line => line.StartsWith("2002 ", StringComparison.Ordinal) && line.Contains(" this one from 127.0.0.1", StringComparison.Ordinal));
        await first.PlayAsync("C: a LOGIN alice secret", "S: a OK …");
        Assert.True(await IsGreetedAsync(director));
    }

    [FactIfInstalled("redis-server")]
    public async Task P12_with_all_places_taken_the_oldest_stranger_makes_room()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { MaxConnections = 3 });
        await using var user = await director.LogInAsync();
        await using var oldest = await director.ConnectAsync();
        await using var younger = await director.ConnectAsync();

        await using var newest = await director.ConnectAsync();

        await Assert.ThrowsAnyAsync<IOException>(oldest.ReadToEndAsync);
        await younger.PlayAsync("C: a NOOP", "S: a OK NOOP completed.");
        await user.SendAsync("b NOOP\r\n");
        await node.Session.UntilHeardAsync("b NOOP\r\n");
        Assert.Equal(["CL"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task Metrics_tell_what_became_of_logins_sessions_and_bytes()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var stranger = await director.ConnectAsync();
        await using var client = await director.ConnectAsync();
        await client.PlayAsync("C: a LOGIN alice wrong", "S: a NO …", "C: b LOGIN alice secret", "S: b OK …");
        await client.SendAsync("c NOOP\r\n");
        await node.Session.UntilHeardAsync("c NOOP\r\n");
        // They are counted when the node has them already.
        await TestDirector.UntilAsync(async () => (await director.MetricsTextAsync()).Contains("imapdirector_relayed_bytes_total{direction=\"to_node\"} 8\n", StringComparison.Ordinal));

        using var text = new MemoryStream();
        await director.Registry.CollectAndExportAsTextAsync(text);
        var lines = System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n');

        Assert.Contains("imapdirector_logins_total{mechanism=\"login\",result=\"wrong_password\"} 1", lines);
        Assert.Contains("imapdirector_logins_total{mechanism=\"login\",result=\"success\"} 1", lines);
        Assert.Contains("imapdirector_login_duration_seconds_count 1", lines);
        Assert.Contains("imapdirector_sessions_active{node=\"node1\"} 1", lines);
        Assert.Contains("imapdirector_prelogin_connections 1", lines);
        Assert.Contains("imapdirector_relayed_bytes_total{direction=\"to_node\"} 8", lines);
        Assert.Contains("imapdirector_backend_connects_total{node=\"node1\",result=\"ok\"} 1", lines);
    }

    private static async Task<bool> IsGreetedAsync(RunningDirector director)
    {
        try
        {
            await using var client = await director.ConnectAsync();
            return true;
        }
        catch (Exception refused) when (refused is IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private static ValueTask<string?> ReasonAsync(RunningDirector director) => director.Server.NotReadyReasonAsync(CancellationToken.None);

    private static IEnumerable<string> CredentialsOf(FakeImapNode node) => node.Sessions.Select(session => session.Credentials).OfType<string>();

    private static async Task FloodAsync(NodeSession session)
    {
        var line = "* 1 EXISTS\r\n"u8.ToArray();
        var lines = Enumerable.Repeat(line, 5000).SelectMany(bytes => bytes).ToArray();
        while (true) await session.Stream.WriteAsync(lines);
    }
}
