using ImapDirector.Network;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>The nodes: those of the configuration, with what operators have changed, added and taken out since, which Redis keeps. A node is where the
/// configuration says, or in <see cref="DirectorOptions.NodeNetworks"/>, and nowhere else. While Redis is away it stays as it was.</summary>
/// <param name="configured">The configuration.</param>
/// <param name="redis">Where the rest is.</param>
/// <param name="logger">Tells of changes.</param>
internal sealed partial class NodeRegistry(DirectorOptions configured, RedisConnection redis, ILogger<NodeRegistry> logger)
{
    /// <summary>Nodes in all (and what a hostile Redis can make us keep).</summary>
    public const int MaxNodes = 1000;

    private readonly Lock _lock = new();
    private volatile DirectorOptions _options = configured;
    private HashEntry[] _set = [];
    private long _asked;
    private long _taken;
    private volatile NodeSet _current = new(configured.Nodes.Select(static node => new NodeStatus(node, NodeState.Up, node)));

    /// <summary>The nodes of now.</summary>
    public NodeSet Current => _current;

    /// <summary>The configuration of now.</summary>
    public DirectorOptions Options => _options;

    /// <summary>Told when they have changed, one after the other. Whoever listens returns at once.</summary>
    public event Action<NodeSet>? Changed;

    /// <summary>Reads what is set.</summary>
    /// <returns><c>false</c> when Redis does not answer.</returns>
    public async Task<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        var asked = Interlocked.Increment(ref _asked);
        var reply = await redis.CallAsync("nodes", database => database.HashGetAllAsync(RedisKeys.Nodes), cancellationToken);
        if (!reply.Succeeded) return false;
        lock (_lock)
        {
            // What was asked first must not take the place of what was asked last.
            if (asked > _taken) Take(_set = reply.Value);
            _taken = Math.Max(asked, _taken);
        }
        return true;
    }

    /// <summary>Another configuration from here on; what is set of the nodes stays.</summary>
    public void Reload(DirectorOptions options)
    {
        lock (_lock)
        {
            _options = options;
            Take(_set);
        }
    }

    /// <summary>The configured node of a name, or <c>null</c>.</summary>
    public BackendNode? Configured(string name) => _options.Nodes.FirstOrDefault(node => node.Name == name);

    private void Take(HashEntry[] set)
    {
        var nodes = _options.Nodes.ToDictionary(static node => node.Name, static node => new NodeStatus(node, NodeState.Up, node));
        foreach (var field in set)
        {
            var name = field.Name.ToString();
            var configured = Configured(name);
            if (!SettingRules.IsName(name) || (configured is null && nodes.Count >= MaxNodes)) continue;
            if (NodeEntry.TryParse(field.Value.ToString()) is not { } entry) nodes[name] = NodeFields.Unreadable(name, configured);
            else if (entry.IsRemoved) nodes.Remove(name);
            else nodes[name] = NodeFields.Build(name, configured, entry, _options);
        }
        var (before, after) = (_current, new NodeSet(nodes.Values));
        if (before.All.SequenceEqual(after.All)) return;
        _current = after;
        foreach (var status in after.All)
        {
            if (status == before.Find(status.Node.Name)) continue;
            if (status.Fault is { } fault) Log.Faulty(logger, status.Node.Name, fault);
            else Log.Changed(logger, status.Node, status.State, status.Node.Weight, status.Node.Pool);
        }
        foreach (var status in before.All)
            if (after.Find(status.Node.Name) is null) Log.Removed(logger, status.Node.Name);
        Changed?.Invoke(after);
    }

    private static partial class Log
    {
        [LoggerMessage(3031, LogLevel.Information, "Node {Node} is now {State}, weight {Weight}, pool {Pool}")]
        public static partial void Changed(ILogger logger, BackendNode node, NodeState state, int weight, string pool);

        [LoggerMessage(3032, LogLevel.Error, "Node {Node} counts as down here: {Fault}")]
        public static partial void Faulty(ILogger logger, string node, string fault);

        [LoggerMessage(3033, LogLevel.Information, "Node {Node} is taken out")]
        public static partial void Removed(ILogger logger, string node);
    }
}
