using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class NodePlannerTests
{
    [Theory, OnRedis]
    public async Task Taking_a_node_out_sends_its_users_to_the_others_of_its_pool_by_their_weights(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1"), Node("node2", 100), Node("node3", 300), Node("other", 100, "archive")]);
        await AssignAsync(redis, "node1", 400);
        await AssignAsync(redis, "node2", 10, "there");
        var moves = new List<PlannedMove>();
        var plan = await PlannerOf(director).RemoveAsync(director.Nodes.Current.Find("node1")!, Note(moves), CancellationToken.None);

        Assert.Equal(("default", 400, null), (plan!.Pool, plan.Moves, plan.Obstacle));
        Assert.Equal(400, moves.Count);
        Assert.All(moves, static move => Assert.Equal("node1", move.From));
        var there = plan.Nodes.ToDictionary(static node => node.Name);
        Assert.Equal(["node1", "node2", "node3"], there.Keys);
        Assert.Equal((400, 0, 0.2, 0.0), (there["node1"].Users, there["node1"].UsersAfter, there["node1"].Share, there["node1"].ShareAfter));
        Assert.Equal((10, 10 + moves.Count(static move => move.To == "node2"), 0.25), (there["node2"].Users, there["node2"].UsersAfter, there["node2"].ShareAfter));
        Assert.InRange(moves.Count(static move => move.To == "node3"), 300 - 27, 300 + 27);
        // Nothing has happened.
        Assert.Equal("node1", await redis.Database.HashGetAsync("imapdirector:{user0@example.com}:assignment", "node"));
    }

    [Theory, OnRedis]
    public async Task A_node_that_is_the_last_of_its_pool_has_nowhere_to_send_its_users(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1"), Node("node2", 0), Node("node3", 100, "archive")]);
        await AssignAsync(redis, "node1", 3);
        var plan = await PlannerOf(director).RemoveAsync(director.Nodes.Current.Find("node1")!, Note([]), CancellationToken.None);
        Assert.Equal((0, "No other node of pool default takes new users: its 3 users have nowhere to go."), (plan!.Moves, plan.Obstacle));
        Assert.Equal(3, plan.Nodes.Single(static node => node.Name == "node1").UsersAfter);
    }

    [Theory, OnRedis]
    public async Task One_more_node_or_another_weight_moves_nobody_and_tells_how_many_a_rebalance_would_move(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await AssignAsync(redis, "node1", 60);
        await AssignAsync(redis, "node2", 60, "there");
        await redis.Database.HashSetAsync("imapdirector:{user7@example.com}:assignment", "moving", "node2");
        var plan = await PlannerOf(director).ChangeAsync(Node("node3", 100), CancellationToken.None);
        Assert.Equal((0, await MovesAsync(redis, [.. TwoNodes, Node("node3", 100)])), (plan!.Moves, plan.ToBalance));
        var added = plan.Nodes.Single(static node => node.Name == "node3");
        Assert.Equal((0, 0, 0.0), (added.Users, added.UsersAfter, added.Share));
        Assert.Equal(1.0 / 3, added.ShareAfter, 6);

        var heavier = await PlannerOf(director).ChangeAsync(Node("node1", 300), CancellationToken.None);
        Assert.Equal((0, await MovesAsync(redis, [Node("node1", 300), Node("node2")]), 0.75), (heavier!.Moves, heavier.ToBalance, heavier.Nodes[0].ShareAfter));
        Assert.NotEqual(plan.ToBalance, heavier.ToBalance);
    }

    [Theory, OnRedis]
    public async Task A_rebalance_brings_users_to_where_the_weights_put_them_and_leaves_pools_kinds_and_users_who_move_alone(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        BackendNode[] nodes = [Node("node1"), Node("node2"), Node("node4") with { Kind = BackendKind.Generic }, Node("other", 100, "archive")];
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: nodes);
        await AssignAsync(redis, "node1", 100);
        await AssignAsync(redis, "other", 20, "archived");
        await redis.Database.HashSetAsync("imapdirector:{user7@example.com}:assignment", "moving", "node2");
        var moves = (await MovesOf(director).PlanRebalanceAsync(CancellationToken.None))!;
        Assert.All(moves, move => Assert.Equal(("node1", "node2", "node2"), (move.From, move.To, RendezvousHash.Pick(move.User, "default", nodes)!.Name)));
        Assert.DoesNotContain(moves, static move => move.User.Value == "user7@example.com");
        Assert.Equal(Enumerable.Range(0, 100).Where(static number => number != 7).Count(number => RendezvousHash.Pick(User($"user{number}@example.com"), "default", nodes)!.Name == "node2"), moves.Count);
        // Once they have moved there is nothing left to do.
        foreach (var move in moves) await redis.Database.HashSetAsync($"imapdirector:{{{move.User}}}:assignment", "node", move.To);
        Assert.Empty((await MovesOf(director).PlanRebalanceAsync(CancellationToken.None))!);
    }

    private static UserMoves MovesOf(TestDirector director) => new(director.Redis, director.Nodes, new MoveLedger(director.Redis));

    /// <summary>How many a rebalance would move if these were the nodes.</summary>
    private static async Task<int> MovesAsync(TestRedis redis, BackendNode[] nodes)
    {
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, "director2", nodes);
        return (await MovesOf(director).PlanRebalanceAsync(CancellationToken.None))!.Count;
    }

    private static NodePlanner PlannerOf(TestDirector director) => new(director.Redis, director.Nodes);

    private static Func<PlannedMove, ValueTask> Note(List<PlannedMove> moves) => move =>
    {
        moves.Add(move);
        return ValueTask.CompletedTask;
    };

    private static Task AssignAsync(TestRedis redis, string node, int count, string prefix = "user") => Task.WhenAll(Enumerable.Range(0, count).Select(number =>
        redis.Database.HashSetAsync($"imapdirector:{{{prefix}{number}@example.com}}:assignment", [new("node", node), new("epoch", 1)])));
}
