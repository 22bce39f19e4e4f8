using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace ImapDirector.ClusterRun.Servers;

/// <summary>Gives orders as the directors' API does, without a process for each.</summary>
internal sealed class ClusterOperator : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly RedisConnection _redis;
    private readonly UserMoves _moves;
    private readonly ClusterOrders _orders;
    private readonly NodeOrders _nodes;

    private ClusterOperator(DirectorOptions options, RedisConnection redis)
    {
        var registry = new NodeRegistry(options, redis, NullLogger<NodeRegistry>.Instance);
        (_redis, _moves, _orders, _nodes) = (redis, new UserMoves(redis, registry, new MoveLedger(redis)), new ClusterOrders(redis), new NodeOrders(redis, registry));
    }

    public static async Task<ClusterOperator> ConnectAsync(TestCluster cluster)
    {
        var options = new DirectorOptions { Name = "operator", Redis = cluster.Redis.ConnectionString, Nodes = [.. cluster.BackendNodes.Select(static node => node with { MasterPassword = "logs nobody in" })] };
        var redis = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        await redis.ConnectAsync(CancellationToken.None);
        return new ClusterOperator(options, redis);
    }

    /// <summary>Orders a user's sessions to be ended.</summary>
    /// <returns><c>false</c> when Redis does not answer.</returns>
    public Task<bool> KickAsync(string user) => _orders.KickAsync(new SessionFilter(NameOf(user), null, null), CancellationToken.None);

    /// <summary>Sets a node's state.</summary>
    /// <returns><c>false</c> when Redis does not answer; it may be set all the same.</returns>
    public async Task<bool> SetAsync(string node, string state)
    {
        var result = await _nodes.ChangeAsync(node, new Dictionary<string, string?> { ["state"] = state }, CancellationToken.None);
        if (result.Outcome is not (NodeOutcome.Done or NodeOutcome.Unavailable)) throw new InvalidOperationException($"{node} cannot be {state}: {result.Outcome} {result.Reason}");
        return result.Outcome == NodeOutcome.Done;
    }

    /// <summary>Orders a user to be moved.</summary>
    public Task<MoveOrder> OrderAsync(string user, string from, string to) => _moves.OrderAsync(NameOf(user), to, from, isDry: false, CancellationToken.None);

    /// <summary>The last moves of these users; none while Redis is away.</summary>
    public async Task<IReadOnlyList<Move>> FindAsync(params IEnumerable<string> users) => await _moves.FindAsync([.. users.Select(NameOf)], CancellationToken.None) ?? [];

    /// <summary>Waits a while for the moves that are on their way.</summary>
    /// <returns>Those that are still.</returns>
    public async Task<IReadOnlyList<string>> FinishAsync()
    {
        IReadOnlyList<string> left = ["the moves cannot be listed"];
        for (var until = DateTime.UtcNow + Patience; DateTime.UtcNow < until && left.Count > 0; await Task.Delay(200))
            if (await _moves.ListAsync(CancellationToken.None) is { } moves) left = [.. moves.Select(static move => $"{move.User} {move.From} to {move.To}: {move.Step} at {move.Director} {move.Reason}")];
        return left;
    }

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private static UserName NameOf(string name) => UserName.TryCreate(name, null, out var user) ? user : throw new InvalidOperationException($"{name} is no user.");
}
