using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>What single steps of a move leave behind; whole moves are among the end-to-end tests.</summary>
public sealed class MoveStepsTests
{
    private const string Record = "imapdirector:{alice@example.com}:move";
    private static readonly BackendNode[] Nodes = [Generic("node1"), Generic("node2")];

    [Theory, OnRedis, OnGarnet]
    public async Task A_move_that_is_called_off_before_it_began_is_forgotten_after_a_day(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var (ledger, mine, user) = (new MoveLedger(director.Redis), director.Directory.Incarnation!, User("alice@example.com"));
        var node = (await director.OpenAsync(user, "s")).Node!.Name;
        await ledger.OrderAsync(user, null, node == "node1" ? "node2" : "node1", CancellationToken.None);
        var move = (await ledger.ClaimAsync(user, mine, CancellationToken.None)).Move!;

        Assert.Equal(1, (int)(await ledger.UndoAsync(move, mine.Epoch, "a reason", CancellationToken.None)).Value!);

        Assert.Equal("failed", await redis.Database.HashGetAsync(Record, "step"));
        Assert.InRange((await redis.Database.KeyTimeToLiveAsync(Record))!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(24));
        await ledger.ClaimAsync(user, mine, CancellationToken.None);
        Assert.Empty((await ledger.ListAsync(CancellationToken.None))!);
    }

    [Theory]
    [InlineData("opened", "imapdirector_moves_total{result=\"done\"} 1")]
    [InlineData("ended", "imapdirector_unfenced_moves_total 1")]
    public async Task A_step_counts_for_the_director_that_has_made_it_and_for_no_other(string step, string counted)
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Garnet);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: Nodes, with: static options => options with { UnfencedMoveDelay = TimeSpan.Zero });
        await using var other = await TestDirector.StartAsync(redis.ConnectionString, "director2", Nodes);
        await redis.Database.HashSetAsync(Record,
            [new("id", "m"), new("from", "node1"), new("to", "node2"), new("step", step), new("epoch", 2), new("last-epoch", 3), new("owner", director.Directory.Incarnation!.Epoch)]);
        var move = (await new MoveLedger(director.Redis).FindAsync(User("alice@example.com"), CancellationToken.None)).Move!;

        Assert.DoesNotContain(counted, await RunAsync(other, move), StringComparison.Ordinal);
        Assert.Contains(counted, await RunAsync(director, move), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_wants_users_passwords_is_none_of_ours_whatever_its_kind()
    {
        NodeSet Of(BackendNode from, BackendNode to) => new([new NodeStatus(from, NodeState.Up, from), new NodeStatus(to, NodeState.Up, to)]);
        BackendNode[] foreign = [Generic("node1"), Node("node1") with { Login = NodeLogin.Password }, Generic("node1") with { Login = NodeLogin.Password }];
        foreach (var from in foreign)
        {
            foreach (var to in foreign) Assert.Null(MoveRules.FindObstacle(Of(from, to with { Name = "node2" }), "node1", "node2"));
            Assert.StartsWith("node node2 is bundled and node node1 is not", MoveRules.FindObstacle(Of(from, Node("node2")), "node1", "node2"), StringComparison.Ordinal);
            Assert.StartsWith("node node2 is bundled and node node1 is not", MoveRules.FindObstacle(Of(Node("node2"), from), "node2", "node1"), StringComparison.Ordinal);
            Assert.Null(UserMoves.FindBetter(new Assignment("alice@example.com", "node1", 1), from, [Node("node2")]));
        }
    }

    private static BackendNode Generic(string name) => Node(name) with { Kind = BackendKind.Generic };

    /// <summary>Has a director go on with a move, and tells what it has counted.</summary>
    private static async Task<string> RunAsync(TestDirector director, Move move)
    {
        var registry = Metrics.NewCustomRegistry();
        using var control = new NodeControl(null);
        var coordinator = new MoveCoordinator(director.Options, new MoveLedger(director.Redis), new MoveSessions(director.Redis, () => director.Directory.Incarnation), director.Nodes, director.Health, control,
            new DirectorMetrics(Metrics.WithCustomRegistry(registry)), NullLogger.Instance);
        await coordinator.RunAsync(move, () => director.Directory.Incarnation, CancellationToken.None);
        using var text = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(text);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
