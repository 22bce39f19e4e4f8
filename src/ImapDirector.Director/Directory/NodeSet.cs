using System.Collections.Frozen;

namespace ImapDirector.Director.Directory;

/// <summary>The nodes of one moment. It never changes; a newer one takes its place.</summary>
public sealed class NodeSet
{
    private readonly FrozenDictionary<string, NodeStatus> _byName;

    internal NodeSet(IEnumerable<NodeStatus> nodes)
    {
        All = [.. nodes.OrderBy(static status => status.Node.Name, StringComparer.Ordinal)];
        _byName = All.ToFrozenDictionary(static status => status.Node.Name);
        Reachable = [.. All.Where(static status => status.Fault is null).Select(static status => status.Node)];
        Takers = [.. All.Where(static status => status.State == NodeState.Up).Select(static status => status.Node)];
    }

    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<NodeStatus> All { get; }

    /// <summary>Those that this director may connect to, whomever they take: of the others it does not know where they are.</summary>
    public IReadOnlyList<BackendNode> Reachable { get; }

    /// <summary>Those that take at least the users they have.</summary>
    public IEnumerable<BackendNode> Serving => All.Where(static status => status.State != NodeState.Down).Select(static status => status.Node);

    /// <summary>Those that take new users.</summary>
    public IReadOnlyList<BackendNode> Takers { get; }

    /// <summary>The node of a name, or <c>null</c>.</summary>
    public NodeStatus? Find(string name) => _byName.GetValueOrDefault(name);
}

/// <summary>A node as it is now.</summary>
/// <param name="Node">Where it is and what it gets.</param>
/// <param name="State">Whom it takes.</param>
/// <param name="Configured">The node as it is configured; <c>null</c> for one that was added while the directors run.</param>
/// <param name="Since">When the state was set, by Redis' clock; <c>null</c> when it never was.</param>
/// <param name="Fault">Why this director cannot do what is set of it, as sentences; it is down here then.</param>
public sealed record NodeStatus(BackendNode Node, NodeState State, BackendNode? Configured, DateTimeOffset? Since = null, string? Fault = null);
