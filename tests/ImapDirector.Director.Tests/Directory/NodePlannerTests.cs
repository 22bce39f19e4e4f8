using ImapDirector.Director.Directory;
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
    public async Task One_more_node_moves_nobody_and_tells_how_many_would_have_to_for_a_balance(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await AssignAsync(redis, "node1", 60);
        await AssignAsync(redis, "node2", 60, "there");
        var plan = await PlannerOf(director).ChangeAsync(Node("node3", 100), CancellationToken.None);
        Assert.Equal((0, 40), (plan!.Moves, plan.ToBalance));
        var added = plan.Nodes.Single(static node => node.Name == "node3");
        Assert.Equal((0, 0, 0.0), (added.Users, added.UsersAfter, added.Share));
        Assert.Equal(1.0 / 3, added.ShareAfter, 6);

        var heavier = await PlannerOf(director).ChangeAsync(Node("node1", 300), CancellationToken.None);
        Assert.Equal((0, 30, 0.75), (heavier!.Moves, heavier.ToBalance, heavier.Nodes[0].ShareAfter));
    }

    [Theory, OnRedis]
    public async Task A_balance_takes_no_more_moves_than_it_needs_and_leaves_nodes_that_drain_and_users_who_move_alone(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1", 100), Node("node2", 200), Node("node3", 100), Node("node4")]);
        await AssignAsync(redis, "node1", 100);
        await AssignAsync(redis, "node2", 20, "there");
        await AssignAsync(redis, "node4", 50, "drains");
        await redis.Database.HashSetAsync("imapdirector:{cluster}:nodes", "node4", "state=draining");
        await director.Nodes.RefreshAsync(CancellationToken.None);
        await redis.Database.HashSetAsync("imapdirector:{user7@example.com}:assignment", "moving", "node3");
        var moves = new List<PlannedMove>();
        var plan = await PlannerOf(director).RebalanceAsync("default", Note(moves), CancellationToken.None);

        // 120 users by 1:2:1 are 30, 60 and 30.
        Assert.Equal((70, 70), (plan!.Moves, moves.Count));
        Assert.Equal([("node1", 30), ("node2", 60), ("node3", 30), ("node4", 50)], plan.Nodes.Select(static node => (node.Name, node.UsersAfter)));
        Assert.All(moves, static move => Assert.Equal("node1", move.From));
        Assert.DoesNotContain(moves, static move => move.User == "user7@example.com");
        Assert.Equal(70, moves.DistinctBy(static move => move.User).Count());
        // Once they have moved there is nothing left to do.
        foreach (var move in moves) await redis.Database.HashSetAsync($"imapdirector:{{{move.User}}}:assignment", "node", move.To);
        Assert.Equal(0, (await PlannerOf(director).RebalanceAsync("default", Note([]), CancellationToken.None))!.Moves);
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
