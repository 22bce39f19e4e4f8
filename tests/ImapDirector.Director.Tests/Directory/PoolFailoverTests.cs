using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>When a user of a node that is away is moved, and where to; that it then goes on is among the end-to-end tests.</summary>
public sealed class PoolFailoverTests
{
    private const string Assignment = "imapdirector:{alice@example.com}:assignment";
    private const string Sessions = "imapdirector:{alice@example.com}:sessions";
    private const string Move = "imapdirector:{alice@example.com}:move";

    // Nobody carries the move out, so that whoever logs in waits in vain.
    private static readonly Func<DirectorOptions, DirectorOptions> Shared = static options => options with { SharedStoragePools = ["default"], MoveWait = TimeSpan.FromMilliseconds(100) };

    private static readonly BackendNode[] Nodes = [Generic("node1"), Generic("node2"), Generic("node3")];

    [Theory, OnRedis]
    public async Task A_user_of_a_node_that_is_away_is_ordered_to_another_that_shares_its_storage_and_leaves_no_session(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await StartAsync(redis, Shared, Nodes);
        Assert.Equal("node1", (await director.OpenAsync(User("alice@example.com"), "s")).Node!.Name);
        await director.Directory.CloseSessionAsync(User("alice@example.com"), "s");
        Lose(director, "node1");

        Assert.Equal(DirectoryOutcome.Moving, (await director.OpenAsync(User("alice@example.com"), "s")).Outcome);
        var move = await redis.Database.HashGetAsync(Move, ["from", "to", "step"]);
        Assert.Equal(("node1", "ordered"), (move[0].ToString(), move[2].ToString()));
        Assert.Equal(RendezvousHash.Pick(User("alice@example.com"), "default", Nodes[1..])!.Name, move[1].ToString());
        Assert.False(await redis.Database.KeyExistsAsync(Sessions));
        Assert.Equal("node1", await redis.Database.HashGetAsync(Assignment, "node"));

        // Mail does not order it a second time.
        var id = await redis.Database.HashGetAsync(Move, "id");
        Assert.Equal(DirectoryOutcome.Moving, (await director.Directory.AssignAsync(User("alice@example.com"), CancellationToken.None)).Outcome);
        Assert.Equal(id, await redis.Database.HashGetAsync(Move, "id"));
        // Once the map says so, it goes on there.
        await redis.Database.HashSetAsync(Assignment, [new("node", move[1]), new("epoch", 3)]);
        Assert.Equal((move[1].ToString(), 3), ((await director.OpenAsync(User("alice@example.com"), "s")).Node!.Name, (await director.OpenAsync(User("alice@example.com"), "s")).Epoch));
    }

    [Theory, OnRedis]
    public async Task Whoever_cannot_go_anywhere_stays(RedisKind kind)
    {
        (string Why, Func<DirectorOptions, DirectorOptions> With, BackendNode[] Nodes, string[] Away)[] table =
        [
            ("nobody said that they share their storage", static options => options, Nodes, ["node1"]),
            ("another pool does", static options => options with { SharedStoragePools = ["archive"] }, Nodes, ["node1"]),
            ("it is one of ours", Shared, [Node("node1"), Generic("node2"), Generic("node3")], ["node1"]),
            ("the others are ours", Shared, [Generic("node1"), Node("node2"), Node("node3")], ["node1"]),
            ("the others are in another pool", Shared, [Generic("node1"), Generic("node2", "archive"), Generic("node3", "archive")], ["node1"]),
            ("the other takes nobody", Shared, [Generic("node1"), Generic("node2") with { Weight = 0 }, Generic("other", "archive")], ["node1"]),
            ("most nodes are away, so it is our own network", Shared, Nodes, ["node1", "node2"]),
        ];
        foreach (var (why, with, nodes, away) in table)
        {
            await using var redis = await TestRedis.StartAsync(kind);
            await using var director = await StartAsync(redis, with, nodes);
            foreach (var node in away) Lose(director, node);
            var ticket = await director.OpenAsync(User("alice@example.com"), "s");
            Assert.True(ticket is { Outcome: DirectoryOutcome.Assigned, Node.Name: "node1" }, why);
            Assert.False(await redis.Database.KeyExistsAsync(Move), why);
        }
    }

    [Theory, OnRedis]
    public async Task Without_Redis_nobody_is_moved(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await StartAsync(redis, Shared, Nodes);
        await director.OpenAsync(User("alice@example.com"), "s");
        Lose(director, "node1");
        await redis.Process.KillAsync();
        Assert.NotEqual(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "t")).Outcome);
    }

    private static BackendNode Generic(string name, string pool = "default") => Node(name, 100, pool) with { Kind = BackendKind.Generic };

    private static async Task<TestDirector> StartAsync(TestRedis redis, Func<DirectorOptions, DirectorOptions> with, BackendNode[] nodes)
    {
        await redis.Database.HashSetAsync(Assignment, [new("node", "node1"), new("epoch", 1)]);
        return await TestDirector.StartAsync(redis.ConnectionString, nodes: nodes, with: with);
    }

    private static void Lose(TestDirector director, string node)
    {
        for (var count = 0; count < 3; count++) director.Health.Note(director.Nodes.Current.Find(node)!.Node, BackendFailure.Refused);
    }
}
