namespace ImapDirector.Director.Directory;

/// <summary>Why a user is where they are, as one director sees it.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="Assignment">The assignment, or <c>null</c> before the first login or delivery.</param>
/// <param name="Pool">The pool that new users go to.</param>
/// <param name="Nodes">The nodes, those first that a new user of this name would be given, in that order.</param>
/// <param name="Sessions">The user's sessions, at all directors.</param>
/// <param name="NextLogin">What would happen at the next login.</param>
public sealed record UserExplanation(string User, Assignment? Assignment, string Pool, IReadOnlyList<NodeCandidate> Nodes, IReadOnlyList<ClusterSession> Sessions, NextLogin NextLogin);

/// <summary>A node, and whether a user would be given it.</summary>
/// <param name="Status">The node.</param>
/// <param name="IsWell">Whether it answers, as this director sees it.</param>
/// <param name="Rank">1 for the node that a new user of this name would be given, 2 for the one after it, and so on; <c>null</c> where it takes no new users.</param>
/// <param name="Share">Its share of new users, 0 to 1.</param>
public sealed record NodeCandidate(NodeStatus Status, bool IsWell, int? Rank, double Share);

/// <summary>What would happen at a login.</summary>
/// <param name="Node">Where it would go; <c>null</c> when it would be refused, with <c>NO [UNAVAILABLE]</c>.</param>
/// <param name="Reason">Why, as half a sentence.</param>
public sealed record NextLogin(string? Node, string Reason);
