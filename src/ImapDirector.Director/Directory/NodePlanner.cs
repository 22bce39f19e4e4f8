using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>Says who would move when the nodes change, or when every node is to hold its share. It changes nothing. All assignments are read for it.</summary>
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
        var loads = new Loads();
        var arrivals = new Loads();
        var moves = 0;
        var isComplete = await AssignmentMap.ReadAllAsync(_redis, async assignment =>
        {
            loads.Add(assignment.Node);
            if (assignment.Node != node.Node.Name || !UserName.TryCreate(assignment.User, null, out var user)) return;
            if (RendezvousHash.Pick(user, pool, others) is not { } target) return;
            moves++;
            arrivals.Add(target.Name);
            await onMove(new PlannedMove(assignment.User, assignment.Node, target.Name));
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
        if (await CountAsync(cancellationToken) is not { } loads) return null;
        return new NodePlan(changed.Pool, Lines(changed.Pool, takers, after, loads, name => loads[name], changed.Name), 0, Surplus(changed.Pool, after, loads).Values.Sum(), obstacle);
    }

    /// <summary>Giving every node of a pool that takes new users its share of those that the pool has, with as few moves as that takes. Users of nodes that drain or are down stay.</summary>
    /// <param name="pool">A pool.</param>
    /// <param name="onMove">Called with each user who would move.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<NodePlan?> RebalanceAsync(string pool, Func<PlannedMove, ValueTask> onMove, CancellationToken cancellationToken)
    {
        var takers = _registry.Current.Takers;
        if (await CountAsync(cancellationToken) is not { } loads) return null;
        var surplus = Surplus(pool, takers, loads);
        var deficit = Targets(pool, takers, loads).Where(target => target.Value > loads[target.Key]).ToDictionary(static target => target.Key, target => target.Value - loads[target.Key]);
        var after = new Loads();
        var moves = 0;
        var isComplete = surplus.Count == 0 || await AssignmentMap.ReadAllAsync(_redis, async assignment =>
        {
            if (assignment.Moving is not null || surplus.GetValueOrDefault(assignment.Node) == 0 || !UserName.TryCreate(assignment.User, null, out var user)) return;
            // As if only the nodes that lack users were there: so a second look a moment later plans the same for the same user.
            if (RendezvousHash.Pick(user, pool, [.. takers.Where(taker => deficit.GetValueOrDefault(taker.Name) > 0)]) is not { } target) return;
            surplus[assignment.Node]--;
            deficit[target.Name]--;
            after.Add(assignment.Node, -1);
            after.Add(target.Name, 1);
            moves++;
            await onMove(new PlannedMove(assignment.User, assignment.Node, target.Name));
        }, cancellationToken);
        return isComplete ? new NodePlan(pool, Lines(pool, takers, takers, loads, name => loads[name] + after[name], null), moves, 0, null) : null;
    }

    private async Task<Loads?> CountAsync(CancellationToken cancellationToken)
    {
        var loads = new Loads();
        var isComplete = await AssignmentMap.ReadAllAsync(_redis, assignment =>
        {
            loads.Add(assignment.Node);
            return ValueTask.CompletedTask;
        }, cancellationToken);
        return isComplete ? loads : null;
    }

    /// <summary>How many users each taker of the pool holds beyond its share.</summary>
    private static Dictionary<string, int> Surplus(string pool, IReadOnlyList<BackendNode> takers, Loads loads) =>
        Targets(pool, takers, loads).Where(target => loads[target.Key] > target.Value).ToDictionary(static target => target.Key, target => loads[target.Key] - target.Value);

    // Whole users: what is left by rounding down goes to the first by name, one each.
    private static Dictionary<string, int> Targets(string pool, IReadOnlyList<BackendNode> takers, Loads loads)
    {
        var members = takers.Where(taker => taker.Pool == pool && taker.Weight > 0).OrderBy(static taker => taker.Name, StringComparer.Ordinal).ToList();
        var (total, weight) = (members.Sum(taker => (long)loads[taker.Name]), members.Sum(static taker => (long)taker.Weight));
        var targets = members.ToDictionary(static taker => taker.Name, taker => (int)(total * taker.Weight / weight));
        var left = total - targets.Values.Sum();
        foreach (var member in members.Take((int)left)) targets[member.Name]++;
        return targets;
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

        public void Add(string node, int users = 1) => _users[node] = this[node] + users;
    }
}
