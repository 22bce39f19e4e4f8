using ImapDirector.Director.Moves;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>Says who would move when the nodes change. It changes nothing. All assignments are read for it.</summary>
public sealed class NodePlanner
{
    private readonly RedisConnection _redis;
    private readonly NodeRegistry _registry;

    internal NodePlanner(RedisConnection redis, NodeRegistry registry) => (_redis, _registry) = (redis, registry);

    /// <summary>Taking a node out: its users go to the others of its pool.</summary>
    /// <param name="node">A node there is.</param>
    /// <param name="onMove">Called with each user who would move.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<NodePlan?> RemoveAsync(NodeStatus node, Func<PlannedMove, ValueTask> onMove, CancellationToken cancellationToken)
    {
        var (pool, nodes) = (node.Node.Pool, _registry.Current);
        var others = nodes.Takers.Where(taker => taker.Name != node.Node.Name).ToList();
        // Where "user move --all --to pool:…" would bring them.
        var targets = others.Where(taker => taker.IsBundled == node.Node.IsBundled).ToList();
        var loads = new Loads();
        var arrivals = new Loads();
        var moves = 0;
        var isComplete = await AssignmentMap.ReadAllAsync(_redis, async assignment =>
        {
            loads.Add(assignment.Node);
            if (assignment.Node != node.Node.Name || !UserName.TryCreate(assignment.User, null, out var user)) return;
            if (RendezvousHash.Pick(user, pool, targets) is not { } target) return;
            moves++;
            arrivals.Add(target.Name);
            await onMove(new PlannedMove(user, assignment.Node, target.Name));
        }, cancellationToken);
        if (!isComplete) return null;
        var obstacle = loads[node.Node.Name] > moves ? $"No other node of pool {pool} takes new users: its {loads[node.Node.Name]} users have nowhere to go." : null;
        return new NodePlan(pool, Lines(pool, nodes.Takers, others, loads, name => name == node.Node.Name ? loads[name] - moves : loads[name] + arrivals[name], node.Node.Name), moves, 0, obstacle);
    }

    /// <summary>Adding a node, or giving one another weight: nobody moves, and new users come by the new shares.</summary>
    /// <param name="changed">The node as it would be.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<NodePlan?> ChangeAsync(BackendNode changed, CancellationToken cancellationToken)
    {
        var takers = _registry.Current.Takers;
        var obstacle = _registry.Current.Find(changed.Name) is { State: not NodeState.Up } ? $"Node {changed.Name} takes no new users, whatever its weight: \"nodes up {changed.Name}\" lets it." : null;
        List<BackendNode> after = [.. takers.Where(taker => taker.Name != changed.Name), changed];
        var loads = new Loads();
        var others = 0;
        var isComplete = await AssignmentMap.ReadAllAsync(_redis, assignment =>
        {
            loads.Add(assignment.Node);
            if (_registry.Current.Find(assignment.Node) is { } now && now.Node.Pool == changed.Pool && UserMoves.FindBetter(assignment, now.Node, after) is not null) others++;
            return ValueTask.CompletedTask;
        }, cancellationToken);
        return isComplete ? new NodePlan(changed.Pool, Lines(changed.Pool, takers, after, loads, name => loads[name], changed.Name), 0, others, obstacle) : null;
    }

    private List<PlannedNode> Lines(string pool, IReadOnlyList<BackendNode> before, IReadOnlyList<BackendNode> after, Loads loads, Func<string, int> usersAfter, string? changed)
    {
        var names = _registry.Current.All.Where(status => status.Node.Pool == pool).Select(static status => status.Node.Name).Append(changed).OfType<string>().Distinct().Order(StringComparer.Ordinal);
        return [.. names.Select(name => new PlannedNode(name, loads[name], usersAfter(name), ShareOf(name, pool, before), ShareOf(name, pool, after)))];
    }

    private static double ShareOf(string name, string pool, IReadOnlyList<BackendNode> takers)
    {
        var members = takers.Where(taker => taker.Pool == pool).ToList();
        var weight = members.Sum(static taker => taker.Weight);
        return weight == 0 ? 0 : (double)members.Where(taker => taker.Name == name).Sum(static taker => taker.Weight) / weight;
    }

    /// <summary>How many users nodes hold, by name.</summary>
    private sealed class Loads
    {
        private readonly Dictionary<string, int> _users = [];

        public int this[string node] => _users.GetValueOrDefault(node);

        public void Add(string node) => _users[node] = this[node] + 1;
    }
}
