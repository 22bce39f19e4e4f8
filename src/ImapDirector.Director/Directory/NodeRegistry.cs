using System.Collections.Frozen;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Directory;

/// <summary>The configured nodes with what operators have set of them in Redis. Redis adds no node and moves none: it says whom a node takes, never where it is.
/// While Redis is away it stays as it was.</summary>
internal sealed partial class NodeRegistry(DirectorOptions options, RedisConnection redis, ILogger<NodeRegistry> logger)
{
    private volatile FrozenDictionary<string, NodeSetting> _settings = FrozenDictionary<string, NodeSetting>.Empty;
    private volatile IReadOnlyList<BackendNode> _takers = options.Nodes;

    /// <summary>The nodes that take new users, with the weights of now.</summary>
    public IReadOnlyList<BackendNode> Takers => _takers;

    /// <summary>Whom a node takes.</summary>
    public NodeState StateOf(BackendNode node) => _settings.GetValueOrDefault(node.Name).State;

    /// <summary>The configured node of a name, or <c>null</c>.</summary>
    public BackendNode? Find(string name)
    {
        foreach (var node in options.Nodes)
            if (node.Name == name) return node;
        return null;
    }

    /// <summary>Reads what is set.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("nodes", database => database.HashGetAllAsync(RedisKeys.Nodes), cancellationToken);
        if (!reply.Succeeded) return;
        var settings = new Dictionary<string, NodeSetting>();
        foreach (var entry in reply.Value)
        {
            if (Find(entry.Name.ToString()) is not { } node) continue;
            if (NodeSetting.TryParse(entry.Value.ToString(), out var setting)) settings[node.Name] = setting;
            else Log.Broken(logger, node.Name);
        }
        foreach (var node in options.Nodes)
        {
            var now = settings.GetValueOrDefault(node.Name);
            if (_settings.GetValueOrDefault(node.Name) != now) Log.Changed(logger, node.Name, now);
        }
        _settings = settings.ToFrozenDictionary();
        _takers = [.. options.Nodes.Where(node => settings.GetValueOrDefault(node.Name).State == NodeState.Up)
            .Select(node => settings.GetValueOrDefault(node.Name).Weight is { } weight ? node with { Weight = weight } : node)];
    }

    private static partial class Log
    {
        [LoggerMessage(3031, LogLevel.Information, "Node {Node} is now {Setting} (state, and weight where it is not the configured one)")]
        public static partial void Changed(ILogger logger, string node, NodeSetting setting);

        [LoggerMessage(3032, LogLevel.Error, "What Redis holds of node {Node} cannot be read; it counts as up with its configured weight: set it anew with \"imapdirector nodes\"")]
        public static partial void Broken(ILogger logger, string node);
    }
}
