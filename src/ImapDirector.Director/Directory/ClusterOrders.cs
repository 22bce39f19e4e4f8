using System.Globalization;
using System.Net;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;
using Prometheus;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>What operators order of all directors, over Redis: which users nodes take, and which sessions end. Directors that run carry it out.</summary>
public sealed class ClusterOrders : IAsyncDisposable
{
    private const int LookUpsAtOnce = 100;

    private readonly DirectorOptions _options;
    private readonly RedisConnection _redis;

    /// <summary>Composes it; nothing is opened yet.</summary>
    /// <param name="options">Redis, the default domain and the nodes' names, pools and weights.</param>
    /// <param name="loggers">Where its loggers are made.</param>
    public ClusterOrders(DirectorOptions options, ILoggerFactory loggers)
    {
        _options = options;
        // A command that runs once has nobody to show metrics to.
        _redis = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), loggers.CreateLogger<RedisConnection>());
    }

    /// <summary>Connects to <see cref="DirectorOptions.Redis"/>; when Redis is away every call answers <c>null</c> or <c>false</c>.</summary>
    /// <exception cref="ArgumentException"><see cref="DirectorOptions.Redis"/> is no configuration string.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken) => _redis.ConnectAsync(cancellationToken);

    /// <summary>The configured nodes, with what is set of them.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<NodeStatus>?> ListNodesAsync(CancellationToken cancellationToken)
    {
        var reply = await _redis.CallAsync("nodes", database => database.HashGetAllAsync(RedisKeys.Nodes), cancellationToken);
        return reply.Succeeded ? NodeStatus.Of(_options.Nodes, reply.Value) : null;
    }

    /// <summary>Sets what a node takes, or its weight; what is <c>null</c> stays as it is.</summary>
    /// <param name="node">A configured node.</param>
    /// <param name="state">Whom it takes.</param>
    /// <param name="weight">Its share of new users, 0 to 1000; -1 for the configured one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What is set now; <c>null</c> when Redis does not answer.</returns>
    public async Task<NodeStatus?> SetNodeAsync(BackendNode node, NodeState? state, int? weight, CancellationToken cancellationToken)
    {
        if (weight is < -1 or > BackendNode.MaxWeight) throw new ArgumentOutOfRangeException(nameof(weight));
        var reply = await _redis.CallAsync("nodes", async database =>
        {
            var before = NodeSetting.TryParse((await database.HashGetAsync(RedisKeys.Nodes, node.Name)).ToString(), out var known) ? known : default;
            var after = new NodeSetting(state ?? before.State, weight switch { null => before.Weight, -1 => null, var given => given });
            await database.HashSetAsync(RedisKeys.Nodes, node.Name, after.ToString());
            await database.PublishAsync(RedisChannel.Literal(RedisKeys.ClusterChannel), "");
            return new NodeStatus(node, after.State, after.Weight);
        }, cancellationToken);
        return reply.Succeeded ? reply.Value : null;
    }

    /// <summary>Orders all directors to end the sessions that are meant.</summary>
    /// <returns><c>false</c> when Redis does not answer; the order may have been given all the same.</returns>
    public async Task<bool> KickAsync(SessionFilter filter, CancellationToken cancellationToken)
    {
        if (filter is { User: null, Node: null, Address: null }) throw new ArgumentException("Nothing says which sessions are meant.", nameof(filter));
        return (await _redis.CallAsync("kick", database => database.ScriptEvaluateAsync(RedisScripts.Kick, [RedisKeys.Kicks, RedisKeys.KickSequence],
            [filter.ToString(), RedisKeys.ClusterChannel]), cancellationToken)).Succeeded;
    }

    /// <summary>The sessions that run, of all directors.</summary>
    /// <param name="filter">Which are meant; with no field given, all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<ClusterSession>?> ListSessionsAsync(SessionFilter filter, CancellationToken cancellationToken)
    {
        var users = new HashSet<string>();
        if (filter.User is { } one) users.Add(one.Value);
        else if (!await _redis.ScanAsync(RedisKeys.AllSessions, key => { users.Add(RedisKeys.UserOfSessions(key)); return ValueTask.CompletedTask; }, cancellationToken)) return null;
        var leases = await _redis.CallAsync("sessions", database => database.SortedSetRangeByRankAsync(RedisKeys.Leases), cancellationToken);
        if (!leases.Succeeded) return null;
        var live = leases.Value.Select(static lease => lease.ToString()).ToHashSet();
        var found = new List<ClusterSession>();
        foreach (var some in users.Order(StringComparer.Ordinal).Chunk(LookUpsAtOnce))
        {
            foreach (var sessions in await Task.WhenAll(some.Select(user => OfUserAsync(user, live, cancellationToken))))
            {
                if (sessions is null) return null;
                found.AddRange(sessions.Where(session => filter.Matches(session.User, session.Node, IPAddress.TryParse(session.ClientAddress, out var address) ? address : null)));
            }
        }
        return found;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private async Task<List<ClusterSession>?> OfUserAsync(string name, HashSet<string> live, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(name, null, out var user)) return [];
        var node = await _redis.CallAsync("sessions", database => database.HashGetAsync(RedisKeys.Assignment(user), "node"), cancellationToken);
        var entries = await _redis.CallAsync("sessions", database => database.HashGetAllAsync(RedisKeys.Sessions(user)), cancellationToken);
        if (!node.Succeeded || !entries.Succeeded) return null;
        var sessions = new List<ClusterSession>();
        foreach (var entry in entries.Value)
        {
            if (SessionValue.TryParse(entry.Name.ToString(), entry.Value.ToString(), out var epoch, out var director, out var session)
                && live.Contains(string.Create(CultureInfo.InvariantCulture, $"{epoch} {director}")))
                sessions.Add(new ClusterSession(user, node.Value.IsNull ? null : node.Value.ToString(), session.Id, director, session.ClientAddress, session.Started));
        }
        return sessions;
    }
}

/// <summary>A configured node, and what is set of it.</summary>
/// <param name="Node">The node as it is configured.</param>
/// <param name="State">Whom it takes.</param>
/// <param name="Weight">Its weight where that is not the configured one.</param>
public sealed record NodeStatus(BackendNode Node, NodeState State, int? Weight)
{
    /// <summary>Of each node; one that nothing readable is set of is up with its configured weight.</summary>
    internal static IReadOnlyList<NodeStatus> Of(IReadOnlyList<BackendNode> nodes, HashEntry[] set)
    {
        var settings = set.ToDictionary(static entry => entry.Name.ToString(), static entry => entry.Value.ToString());
        return [.. nodes.Select(node => settings.TryGetValue(node.Name, out var text) && NodeSetting.TryParse(text, out var setting)
            ? new NodeStatus(node, setting.State, setting.Weight)
            : new NodeStatus(node, NodeState.Up, null))];
    }
}

/// <summary>A session that runs.</summary>
/// <param name="User">Whose.</param>
/// <param name="Node">Where the user's mail is.</param>
/// <param name="Id">The connection's id at the director.</param>
/// <param name="Director">The director that relays it.</param>
/// <param name="ClientAddress">The client's address.</param>
/// <param name="Started">When it logged in.</param>
public sealed record ClusterSession(UserName User, string? Node, string Id, string Director, string ClientAddress, DateTimeOffset Started);
