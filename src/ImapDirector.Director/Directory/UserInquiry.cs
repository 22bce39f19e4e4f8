using ImapDirector.Director.Backends;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>Says why a user is where they are, and changes nothing.</summary>
internal sealed class UserInquiry(RedisConnection redis, NodeRegistry registry, NodeHealth health, AssignmentMap map, ClusterOrders orders, PoolFailover failover)
{
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<UserExplanation?> ExplainAsync(UserName user, CancellationToken cancellationToken)
    {
        var (answered, assignment) = await AssignmentMap.FindAsync(redis, user.Value, cancellationToken);
        if (!answered || !await registry.RefreshAsync(cancellationToken)) return null;
        if (await orders.ListSessionsAsync(new SessionFilter(user, null, null), cancellationToken) is not { } sessions) return null;
        var (nodes, pool) = (registry.Current, registry.Options.DefaultPool);
        var ranked = RendezvousHash.Rank(user, pool, health.WellOf(nodes.Takers));
        var weight = ranked.Sum(static node => node.Weight);
        var candidates = nodes.All
            .Select(status => (Status: status, Rank: ranked.FindIndex(node => node.Name == status.Node.Name)))
            .Select(node => new NodeCandidate(node.Status, node.Status.Fault is null && health.IsWell(node.Status.Node), node.Rank < 0 ? null : node.Rank + 1, node.Rank < 0 ? 0 : (double)node.Status.Node.Weight / weight))
            .OrderBy(static candidate => candidate.Rank ?? int.MaxValue).ToList();
        return new UserExplanation(user.Value, assignment, pool, candidates, sessions, LoginOf(user, assignment, candidates));
    }

    private NextLogin LoginOf(UserName user, Assignment? assignment, List<NodeCandidate> candidates)
    {
        if (assignment is null) return candidates is [{ Rank: 1 } first, ..] ? new NextLogin(first.Status.Node.Name, "for good") : new NextLogin(null, "there is no node to be given");
        if (map.FindFault(assignment) is { } fault) return new NextLogin(null, fault);
        if (assignment.Moving is { } target) return new NextLogin(target, "once the mail has moved there; until then the login waits");
        var node = candidates.Single(candidate => candidate.Status.Node.Name == assignment.Node);
        return node switch
        {
            { Status.Fault: { } why } => new NextLogin(null, $"{assignment.Node} is down at this director: {why}"),
            { Status.State: NodeState.Down } => new NextLogin(null, $"{assignment.Node} is down; \"nodes up {assignment.Node}\" brings it back"),
            { IsWell: false } when failover.FindOther(user, node.Status.Node) is { } other => new NextLogin(other.Name, $"{assignment.Node} does not answer this director, and they share their storage; the login waits until the user has moved"),
            { IsWell: false } => new NextLogin(null, $"{assignment.Node} does not answer this director"),
            _ => new NextLogin(assignment.Node, "because the mail is there"),
        };
    }
}
