namespace ImapDirector.Director.Directory;

/// <summary>What would become of a change, before anybody makes it.</summary>
/// <param name="Pool">The pool it is about.</param>
/// <param name="Nodes">The pool's nodes, and those that users are on besides, before and after.</param>
/// <param name="Moves">How many users would move.</param>
/// <param name="ToBalance">How many <c>rebalance</c> would move afterwards, to where the weights would put them.</param>
/// <param name="Obstacle">Why the change cannot be made, as a sentence; <c>null</c> when it can.</param>
public sealed record NodePlan(string Pool, IReadOnlyList<PlannedNode> Nodes, int Moves, int ToBalance, string? Obstacle);

/// <summary>A node in a plan.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Users">How many users it holds.</param>
/// <param name="UsersAfter">How many it would hold.</param>
/// <param name="Share">Its share of the pool's new users, 0 to 1.</param>
/// <param name="ShareAfter">Its share then.</param>
public sealed record PlannedNode(string Name, int Users, int UsersAfter, double Share, double ShareAfter);
