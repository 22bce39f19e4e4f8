using ImapDirector.Director.Directory;

namespace ImapDirector.Director.Moves;

/// <summary>Between which nodes a user can move.</summary>
internal static class MoveRules
{
    /// <summary>Why not, as a clause; <c>null</c> when it can be.</summary>
    public static string? FindObstacle(NodeSet nodes, string from, string to)
    {
        if (from == to) return $"the user is at node {to} already";
        if (nodes.Find(from) is not { } source) return $"there is no node {from}, where the user is";
        if (FindObstacle(nodes, to) is { } obstacle) return obstacle;
        var target = nodes.Find(to)!;
        if (source.Node.IsBundled != target.Node.IsBundled)
            return $"node {(source.Node.IsBundled ? from : to)} is bundled and node {(source.Node.IsBundled ? to : from)} is not: mail goes from the one to the other with \"store export\" or an IMAP copy";
        return null;
    }

    /// <summary>Why nobody can move to a node, as a clause; <c>null</c> when somebody can.</summary>
    public static string? FindObstacle(NodeSet nodes, string to) => nodes.Find(to) switch
    {
        null => $"there is no node {to}",
        { Fault: { } fault } => $"node {to} cannot be used: {fault}",
        { State: NodeState.Down } => $"node {to} is down",
        { State: NodeState.Draining } => $"node {to} is draining",
        _ => null,
    };
}
