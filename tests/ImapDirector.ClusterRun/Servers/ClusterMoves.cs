using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace ImapDirector.ClusterRun.Servers;

/// <summary>Orders moves as the directors' API does, without a process for each order.</summary>
internal sealed class ClusterMoves : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly RedisConnection _redis;
    private readonly UserMoves _moves;

    private ClusterMoves(RedisConnection redis, UserMoves moves) => (_redis, _moves) = (redis, moves);

    public static async Task<ClusterMoves> ConnectAsync(TestCluster cluster)
    {
        var options = new DirectorOptions { Name = "operator", Redis = cluster.Redis.ConnectionString, Nodes = cluster.BackendNodes };
        var redis = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        await redis.ConnectAsync(CancellationToken.None);
        return new ClusterMoves(redis, new UserMoves(redis, new NodeRegistry(options, redis, NullLogger<NodeRegistry>.Instance), new MoveLedger(redis)));
    }

    /// <summary>Orders a user to be moved.</summary>
    /// <returns>The move's id; <c>null</c> when it was not ordered.</returns>
    public async Task<string?> OrderAsync(string user, string from, string to) =>
        await _moves.OrderAsync(NameOf(user), to, from, isDry: false, CancellationToken.None) is { Outcome: MoveOutcome.Ordered, Id: { } id } ? id : null;

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
