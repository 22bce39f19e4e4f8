using System.Collections.Concurrent;
using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Relay;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class NodeOrdersTests
{
    private static readonly Func<DirectorOptions, DirectorOptions> AddedOnes = static options => options with
    {
        NodeNetworks = [IPNetwork.Parse("10.0.0.0/24")],
        MasterPassword = "secret of all",
    };

    [Theory, OnRedis, OnGarnet]
    public async Task A_node_that_drains_keeps_its_users_and_gets_no_new_ones(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var orders = Orders(director);
        var old = await AssignedToAsync(director, "node1");

        Assert.Equal(NodeState.Draining, (await SetAsync(orders, "node1", "state", "draining")).State);

        for (var i = 0; i < 30; i++) Assert.Equal("node2", (await director.OpenAsync(User($"new{i}@example.com"), "s")).Node?.Name);
        Assert.Equal("node1", (await director.OpenAsync(old, "s")).Node?.Name);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_node_that_is_down_takes_nobody_and_no_record_stays(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var orders = Orders(director);
        var user = await AssignedToAsync(director, "node1");
        await director.Directory.CloseSessionAsync(user, "s");

        await SetAsync(orders, "node1", "state", "down");

        Assert.Equal(DirectoryOutcome.NodeDown, (await director.OpenAsync(user, "s")).Outcome);
        Assert.Equal(DirectoryOutcome.NodeDown, (await director.Directory.AssignAsync(user, CancellationToken.None)).Outcome);
        Assert.False(await redis.Database.KeyExistsAsync($"imapdirector:{{{user}}}:sessions"));
        await SetAsync(orders, "node1", "state", "up");
        Assert.Equal("node1", (await director.OpenAsync(user, "s")).Node?.Name);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_weight_that_was_set_counts_until_the_configured_one_is_asked_for_again(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var orders = Orders(director);

        await SetAsync(orders, "node1", "state", "draining");
        Assert.Equal(0, (await SetAsync(orders, "node1", "weight", "0")).Node.Weight);
        var up = await SetAsync(orders, "node1", "state", "up");
        Assert.Equal((NodeState.Up, 0, 100), (up.State, up.Node.Weight, up.Configured?.Weight));
        for (var i = 0; i < 30; i++) Assert.Equal("node2", (await director.OpenAsync(User($"new{i}@example.com"), "s")).Node?.Name);
        Assert.Equal(100, (await SetAsync(orders, "node1", "weight", null)).Node.Weight);
        Assert.Equal(1000, (await SetAsync(orders, "node1", "weight", "1000")).Node.Weight);
        Assert.Equal(NodeOutcome.Invalid, (await orders.ChangeAsync("node1", Fields(("weight", "1001")), CancellationToken.None)).Outcome);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Operators_who_change_a_node_at_one_moment_do_not_overwrite_each_other(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var one = await TestDirector.StartAsync(redis.ConnectionString);
        await using var two = await TestDirector.StartAsync(redis.ConnectionString, "director2");
        var (first, second) = (Orders(one), Orders(two));
        for (var round = 1; round <= 20; round++)
        {
            var state = round % 2 == 0 ? "up" : "draining";
            await Task.WhenAll(SetAsync(first, "node1", "state", state), SetAsync(second, "node1", "weight", $"{round}"), SetAsync(second, "node1", "pool", $"pool{round}"));
            var now = (await first.ListAsync(CancellationToken.None))!.Find("node1")!;
            Assert.Equal((state == "up" ? NodeState.Up : NodeState.Draining, round, $"pool{round}"), (now.State, now.Node.Weight, now.Node.Pool));
        }
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_node_is_added_changed_and_taken_out_and_every_director_hears_of_it(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var one = await TestDirector.StartAsync(redis.ConnectionString, with: AddedOnes);
        await using var two = await TestDirector.StartAsync(redis.ConnectionString, "director2", with: AddedOnes);
        await using var watch = new ClusterWatch(two.Redis, two.Nodes, new LiveSessions(), NullLogger<ClusterWatch>.Instance);
        await watch.StartAsync(CancellationToken.None);
        var orders = Orders(one);
        var heard = new ConcurrentQueue<int>();
        two.Nodes.Changed += nodes => heard.Enqueue(nodes.All.Count);

        var added = await orders.AddAsync("node3", Fields(("host", "10.0.0.7"), ("imapPort", "1143"), ("http", "http://10.0.0.7:1180"), ("tls", "starttls"), ("tlsName", "node3.example.net")), CancellationToken.None);
        Assert.Equal(NodeOutcome.Done, added.Outcome);
        await UntilAsync(() => Task.FromResult(two.Nodes.Current.All.Count == 3));
        var node = two.Nodes.Current.Find("node3")!.Node;
        Assert.Equal(new BackendNode { Name = "node3", Host = "10.0.0.7", ImapPort = 1143, Http = new Uri("http://10.0.0.7:1180"), Tls = BackendTls.StartTls, TlsName = "node3.example.net", MasterPassword = "secret of all" }, node);
        // No secret is ever in Redis.
        Assert.DoesNotContain("secret", (await redis.Database.HashGetAsync("imapdirector:{cluster}:nodes", "node3")).ToString(), StringComparison.Ordinal);
        Assert.Equal(NodeOutcome.Exists, (await orders.AddAsync("node3", Fields(("host", "10.0.0.8")), CancellationToken.None)).Outcome);

        var user = await AssignedToAsync(two, "node3");
        await SetAsync(orders, "node3", "host", "10.0.0.9");
        await UntilAsync(() => Task.FromResult(two.Nodes.Current.Find("node3")!.Node.Host == "10.0.0.9"));
        Assert.Equal("10.0.0.9", (await two.OpenAsync(user, "s")).Node!.Host);

        Assert.Equal("Node node3 takes new users: drain it first.", (await orders.RemoveAsync("node3", CancellationToken.None)).Reason);
        await SetAsync(orders, "node3", "state", "draining");
        Assert.Equal((NodeOutcome.InUse, "Node node3 holds the mail of 1 users: move them first."), await RefusalAsync(orders, "node3"));
        await redis.Database.HashSetAsync($"imapdirector:{{{user}}}:assignment", [new("node", "node1"), new("moving", "node3")]);
        Assert.Equal(NodeOutcome.InUse, (await orders.RemoveAsync("node3", CancellationToken.None)).Outcome);
        await redis.Database.HashDeleteAsync($"imapdirector:{{{user}}}:assignment", "moving");
        Assert.Equal(NodeOutcome.Done, (await orders.RemoveAsync("node3", CancellationToken.None)).Outcome);
        await UntilAsync(() => Task.FromResult(two.Nodes.Current.All.Count == 2));
        Assert.Equal(NodeOutcome.NoSuchNode, (await orders.RemoveAsync("node3", CancellationToken.None)).Outcome);
        Assert.False(await redis.Database.HashExistsAsync("imapdirector:{cluster}:nodes", "node3"));
        // They are told of it when it is so already.
        await UntilAsync(() => Task.FromResult(heard.LastOrDefault() == 2));
        Assert.Equal(3, heard.First());
    }

    [Theory, OnRedis]
    public async Task A_node_that_has_just_begun_to_drain_is_not_taken_out(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var orders = new NodeOrders(director.Redis, director.Nodes, TimeSpan.FromHours(1));
        var drained = await SetAsync(orders, "node1", "state", "draining");
        Assert.InRange(DateTimeOffset.UtcNow - drained.Since!.Value, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        Assert.StartsWith("Node node1 takes no new users since a moment ago", (await orders.RemoveAsync("node1", CancellationToken.None)).Reason, StringComparison.Ordinal);
        // What else is set of it does not begin the time anew.
        Assert.Equal(drained.Since, (await SetAsync(orders, "node1", "weight", "3")).Since);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_configured_node_that_was_taken_out_stays_out_and_comes_back_as_it_is_configured(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var orders = Orders(director);
        await SetAsync(orders, "node1", "weight", "3");
        await SetAsync(orders, "node1", "state", "down");
        Assert.Equal(NodeOutcome.Done, (await orders.RemoveAsync("node1", CancellationToken.None)).Outcome);

        await using var later = await TestDirector.StartAsync(redis.ConnectionString, "director2");
        await later.Nodes.RefreshAsync(CancellationToken.None);
        Assert.Equal(["node2"], later.Nodes.Current.All.Select(static status => status.Node.Name));
        Assert.Equal(NodeOutcome.NoSuchNode, (await orders.ChangeAsync("node1", Fields(("state", "up")), CancellationToken.None)).Outcome);
        var back = await orders.AddAsync("node1", Fields(), CancellationToken.None);
        Assert.Equal((NodeState.Up, 100), (back.After!.State, back.After.Node.Weight));
    }

    [Theory, OnRedis]
    public async Task What_cannot_be_set_of_an_added_node_is_refused_with_the_reason(RedisKind kind)
    {
        (string Field, string Value, string? Reason)[] table =
        [
            ("host", "192.0.2.1", "NodeNetworks (10.0.0.0/24)"),
            ("host", "10.0.1.0", "NodeNetworks"),
            ("host", "node.example.net", "NodeNetworks"),
            ("host", "0xa.0.0.1", "NodeNetworks"),
            ("host", "::ffff:10.0.0.1", null),
            ("http", "http://192.0.2.1:80", "NodeNetworks"),
            ("http", "http://10.0.0.1:80/evil", "end it after the host"),
            ("http", "file:///etc/passwd", "NodeNetworks"),
            ("http", "http://user:pw@10.0.0.1/", "leave that out"),
            ("imapPort", "0", "from 1 to 65535"),
            ("imapPort", "143", null),
            ("imapPort", "65536", "from 1 to 65535"),
            ("lmtpPort", "-1", "write a port"),
            ("weight", "1000", null),
            ("weight", "1001", "from 0 to 1000"),
            ("state", "sideways", "up, draining or down"),
            ("state", "removed", "up, draining or down"),
            ("pool", "../x", "1 to 64 characters"),
            ("tls", "maybe", "none, starttls or implicit"),
            ("tlsName", "evil name", "without spaces"),
            ("tlsFingerprint", "00", "SHA-256"),
            ("kind", "cyrus", "bundled or generic"),
            ("kind", "generic", "passwords would go there in the clear"),
            ("kind", "bundled", null),
            ("login", "password", "passwords would go there in the clear"),
            ("login", "nobody", "master or password"),
            ("login", "master", null),
            ("masterPassword", "mine", "nothing that can be set"),
            ("since", "1", "nothing that can be set"),
        ];
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: AddedOnes);
        var orders = Orders(director);
        await orders.AddAsync("node3", Fields(("host", "10.0.0.7")), CancellationToken.None);
        foreach (var (field, value, reason) in table)
        {
            var changed = await orders.ChangeAsync("node3", Fields((field, value)), CancellationToken.None);
            if (reason is null) Assert.Equal((NodeOutcome.Done, null), (changed.Outcome, changed.Reason));
            else Assert.Contains(reason, $"{changed.Outcome}: {changed.Reason}", StringComparison.Ordinal);
            Assert.Equal(reason is null ? NodeOutcome.Done : NodeOutcome.Invalid, changed.Outcome);
        }
    }

    [Theory, OnRedis]
    public async Task An_added_node_may_be_another_server_and_want_the_users_own_password_and_a_configured_one_stays_what_it_is(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: options => AddedOnes(options) with { NodeNetworks = [.. AddedOnes(options).NodeNetworks, IPNetwork.Parse("127.0.0.0/8")], MasterPassword = null });
        var orders = Orders(director);
        // There is no master password that it could be logged in with.
        Assert.Contains("MasterPassword is empty", (await orders.AddAsync("node3", Fields(("host", "10.0.0.7"), ("kind", "generic")), CancellationToken.None)).Reason, StringComparison.Ordinal);
        var added = await orders.AddAsync("node3", Fields(("host", "10.0.0.7"), ("kind", "generic"), ("login", "password"), ("tls", "implicit")), CancellationToken.None);
        Assert.Equal((BackendKind.Generic, NodeLogin.Password, BackendTls.Implicit), (added.After!.Node.Kind, added.After.Node.Login, added.After.Node.Tls));
        Assert.Equal(NodeOutcome.Invalid, (await orders.ChangeAsync("node3", Fields(("tls", null)), CancellationToken.None)).Outcome);
        // On this machine nobody listens in.
        Assert.Equal(NodeOutcome.Done, (await orders.AddAsync("node4", Fields(("host", "127.0.0.1"), ("kind", "generic"), ("login", "password")), CancellationToken.None)).Outcome);

        Assert.Equal("kind is \"generic\": of a node that is configured it stays as it is configured.", (await orders.ChangeAsync("node1", Fields(("kind", "generic")), CancellationToken.None)).Reason);
        Assert.Equal(NodeOutcome.Invalid, (await orders.ChangeAsync("node1", Fields(("login", "password")), CancellationToken.None)).Outcome);
        // Nor is whom it is taken for anybody's to say who can write to Redis.
        foreach (var (field, value) in new[] { ("tlsFingerprint", new string('a', 64)), ("tlsName", "mine.example.net") })
            Assert.Contains($"{field} is \"{value}\": of a node that is configured it stays", (await orders.ChangeAsync("node1", Fields((field, value), ("tls", "implicit")), CancellationToken.None)).Reason, StringComparison.Ordinal);
        Assert.Equal(("127.0.0.9", "127.0.0.1"), (await orders.ChangeAsync("node1", Fields(("host", "127.0.0.9"), ("tls", "implicit")), CancellationToken.None)).After is { Node: var moved } ? (moved.Host, moved.TlsName) : default);
        await redis.Database.HashSetAsync("imapdirector:{cluster}:nodes", "node1", "login=password");
        await director.Nodes.RefreshAsync(CancellationToken.None);
        Assert.Equal(NodeState.Down, director.Nodes.Current.Find("node1")!.State);
    }

    [Theory, OnRedis]
    public async Task Whoever_writes_to_Redis_alone_leads_no_session_anywhere(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        BackendNode[] configured = [Node("node1"), Node("node2") with { Tls = BackendTls.StartTls }, Node("node3"), Node("node4"), Node("node5")];
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: configured, with: AddedOnes);
        await redis.Database.HashSetAsync("imapdirector:{cluster}:nodes",
        [
            new("node1", "host=192.0.2.1 state=up"), new("node2", "tls=none"), new("node3", "state=up imapPort=6379"), new("node4", "nonsense"), new("node5", "state=up state=down"),
            new("node6", "state=up"), new("node7", "host=evil.example.net"), new("node8", "host=10.0.0.7 http=http://192.0.2.1:80"), new("../evil", "host=10.0.0.7"), new("NODE", "host=10.0.0.7"),
        ]);
        await director.Nodes.RefreshAsync(CancellationToken.None);

        Assert.Equal(["node1", "node2", "node3", "node4", "node5", "node6", "node7", "node8"], director.Nodes.Current.All.Select(static status => status.Node.Name));
        Assert.All(director.Nodes.Current.All, static status => Assert.Equal((NodeState.Down, true), (status.State, status.Fault is not null)));
        Assert.Empty(director.Nodes.Current.Reachable);
        Assert.Equal(DirectoryOutcome.NoNode, (await director.OpenAsync(User("alice@example.com"), "s")).Outcome);
        // An operator mends it.
        Assert.Equal(NodeState.Up, (await SetAsync(Orders(director), "node4", "state", "up")).State);
    }

    [Theory, OnRedis]
    public async Task Without_node_networks_only_configured_nodes_are_connected_to(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var refused = await Orders(director).AddAsync("node3", Fields(("host", "127.0.0.1")), CancellationToken.None);
        Assert.Contains("NodeNetworks (it has none)", refused.Reason, StringComparison.Ordinal);
        Assert.Contains("NodeNetworks", (await Orders(director).ChangeAsync("node1", Fields(("imapPort", "6379")), CancellationToken.None)).Reason, StringComparison.Ordinal);
    }

    [Theory, OnRedis]
    public async Task There_are_a_thousand_nodes_at_most(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: AddedOnes);
        await redis.Database.HashSetAsync("imapdirector:{cluster}:nodes",
            [.. Enumerable.Range(0, 1100).Select(static number => new StackExchange.Redis.HashEntry($"more{number}", "host=10.0.0.7"))]);
        await director.Nodes.RefreshAsync(CancellationToken.None);
        Assert.Equal(NodeRegistry.MaxNodes, director.Nodes.Current.All.Count);
        Assert.Equal(NodeOutcome.Invalid, (await Orders(director).AddAsync("onemore", Fields(("host", "10.0.0.7")), CancellationToken.None)).Outcome);
        await redis.Database.HashDeleteAsync("imapdirector:{cluster}:nodes", [.. Enumerable.Range(997, 103).Select(static number => (StackExchange.Redis.RedisValue)$"more{number}")]);
        await director.Nodes.RefreshAsync(CancellationToken.None);
        Assert.Equal(NodeOutcome.Done, (await Orders(director).AddAsync("onemore", Fields(("host", "10.0.0.7")), CancellationToken.None)).Outcome);
    }

    [Theory, OnRedis]
    public async Task A_node_that_is_added_moves_nobody_and_gets_its_share_of_new_users(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1", 100), Node("node2", 200)], with: AddedOnes);
        var before = await NodesOfAsync(director, "old", 400);

        await Orders(director).AddAsync("node3", Fields(("host", "10.0.0.7"), ("weight", "300")), CancellationToken.None);

        Assert.Equal(before, await NodesOfAsync(director, "old", 400));
        var share = (await NodesOfAsync(director, "new", 1200)).CountBy(static node => node).ToDictionary();
        // The names are always the same, so the draw is too; the bounds are three standard deviations.
        Assert.InRange(share["node1"], 200 - 39, 200 + 39);
        Assert.InRange(share["node2"], 400 - 49, 400 + 49);
        Assert.InRange(share["node3"], 600 - 52, 600 + 52);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task An_order_is_measured_by_the_configuration_of_now(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: AddedOnes);
        var orders = Orders(director);
        Assert.Equal(NodeOutcome.Invalid, (await orders.AddAsync("node3", Fields(("host", "10.1.0.7")), CancellationToken.None)).Outcome);

        director.Nodes.Reload(director.Options with { NodeNetworks = [IPNetwork.Parse("10.1.0.0/24")], MasterUser = "proxy", MasterPassword = "another secret" });

        Assert.Equal(NodeOutcome.Invalid, (await orders.AddAsync("node4", Fields(("host", "10.0.0.7")), CancellationToken.None)).Outcome);
        var added = await orders.AddAsync("node3", Fields(("host", "10.1.0.7")), CancellationToken.None);
        Assert.Equal((NodeOutcome.Done, null), (added.Outcome, added.Reason));
        Assert.Equal(("proxy", "another secret"), (added.After!.Node.MasterUser, added.After.Node.MasterPassword));
    }

    [Theory, OnRedis]
    public async Task Where_a_user_would_go_is_told_by_the_configuration_of_now(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1"), Node("node2", pool: "archive")]);
        var inquiry = new UserInquiry(director.Redis, director.Nodes, director.Health, director.Map, director.Orders, director.Directory.Failover!);
        Assert.Equal("node1", (await inquiry.ExplainAsync(User("alice@example.com"), CancellationToken.None))!.NextLogin.Node);

        director.Nodes.Reload(director.Options with { DefaultPool = "archive" });

        Assert.Equal("node2", (await inquiry.ExplainAsync(User("alice@example.com"), CancellationToken.None))!.NextLogin.Node);
    }

    private static async Task<string[]> NodesOfAsync(TestDirector director, string prefix, int count) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(async i => (await director.Directory.AssignAsync(User($"{prefix}{i}@example.com"), CancellationToken.None)).Node!.Name));

    private static NodeOrders Orders(TestDirector director) => new(director.Redis, director.Nodes, TimeSpan.Zero);

    private static Dictionary<string, string?> Fields(params (string Field, string? Value)[] fields) => fields.ToDictionary(static field => field.Field, static field => field.Value);

    private static async Task<NodeStatus> SetAsync(NodeOrders orders, string node, string field, string? value)
    {
        var changed = await orders.ChangeAsync(node, Fields((field, value)), CancellationToken.None);
        Assert.Equal((NodeOutcome.Done, null), (changed.Outcome, changed.Reason));
        return changed.After!;
    }

    private static async Task<(NodeOutcome, string?)> RefusalAsync(NodeOrders orders, string node)
    {
        var result = await orders.RemoveAsync(node, CancellationToken.None);
        return (result.Outcome, result.Reason);
    }

    private static async Task<UserName> AssignedToAsync(TestDirector director, string node)
    {
        for (var i = 0; ; i++)
        {
            var user = User($"old{i}@example.com");
            if ((await director.OpenAsync(user, "s")).Node!.Name == node) return user;
        }
    }
}
