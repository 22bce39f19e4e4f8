using ImapDirector.Director.Directory;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Moves;

/// <summary>Orders moves of users, and tells how far they are. Directors carry them out.</summary>
public sealed class UserMoves
{
    /// <summary>What stands before a pool's name where a node's is expected.</summary>
    public const string PoolPrefix = "pool:";

    private readonly RedisConnection _redis;
    private readonly NodeRegistry _registry;
    private readonly MoveLedger _ledger;

    internal UserMoves(RedisConnection redis, NodeRegistry registry, MoveLedger ledger) => (_redis, _registry, _ledger) = (redis, registry, ledger);

    /// <summary>Orders a user to be moved.</summary>
    /// <param name="user">Who.</param>
    /// <param name="to">A node's name, or <c>pool:</c> and a pool's: then rendezvous hashing picks one of its nodes.</param>
    /// <param name="from">Where the user has to be for it, or <c>null</c>.</param>
    /// <param name="isDry">Whether nothing is ordered, and it is only told what would be.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<MoveOrder> OrderAsync(UserName user, string to, string? from, bool isDry, CancellationToken cancellationToken)
    {
        if (!await _registry.RefreshAsync(cancellationToken)) return new MoveOrder(MoveOutcome.Unavailable);
        var (answered, assignment) = await AssignmentMap.FindAsync(_redis, user.Value, cancellationToken);
        if (!answered) return new MoveOrder(MoveOutcome.Unavailable);
        if (assignment is null) return new MoveOrder(MoveOutcome.NotAssigned);
        if (from is not null && assignment.Node != from) return new MoveOrder(MoveOutcome.Elsewhere) { From = assignment.Node };
        if (Pick(user, assignment.Node, to, out var missing) is not { } target)
            return missing is null ? new MoveOrder(MoveOutcome.NoSuchNode) : new MoveOrder(MoveOutcome.Refused) { From = assignment.Node, Reason = missing };
        if (target == assignment.Node) return new MoveOrder(MoveOutcome.Same) { From = target, To = target };
        if (MoveRules.FindObstacle(_registry.Current, assignment.Node, target) is { } obstacle)
            return new MoveOrder(MoveOutcome.Refused) { From = assignment.Node, To = target, Reason = obstacle };
        if (isDry) return new MoveOrder(assignment.Moving is null ? MoveOutcome.Ordered : MoveOutcome.Moving) { From = assignment.Node, To = target };
        var (outcome, id, node) = await _ledger.OrderAsync(user, assignment.Node, target, cancellationToken);
        return new MoveOrder(outcome) { Id = id, From = node ?? assignment.Node, To = target };
    }

    /// <summary>The users of a node with the nodes they would go to, in the order of their names; those who cannot go are left out.</summary>
    /// <param name="from">The node.</param>
    /// <param name="to">As for <see cref="OrderAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Why nobody can go, as a clause; <c>null</c> twice when Redis does not answer.</returns>
    public async Task<(IReadOnlyList<PlannedMove>? Moves, string? Obstacle)> PlanEvacuationAsync(string from, string to, CancellationToken cancellationToken)
    {
        if (!await _registry.RefreshAsync(cancellationToken)) return (null, null);
        var plan = new List<PlannedMove>();
        string? obstacle = null;
        var isComplete = await AssignmentMap.ReadAllAsync(_redis, assignment =>
        {
            if (assignment.Node != from || !UserName.TryCreate(assignment.User, null, out var user) || user.Value != assignment.User) return ValueTask.CompletedTask;
            var target = Pick(user, from, to, out var missing);
            if (target is null || (obstacle = MoveRules.FindObstacle(_registry.Current, from, target)) is not null) obstacle ??= missing ?? $"there is no node {to}";
            else plan.Add(new PlannedMove(user, from, target));
            return ValueTask.CompletedTask;
        }, cancellationToken);
        if (!isComplete) return (null, null);
        plan.Sort(static (left, right) => string.CompareOrdinal(left.User.Value, right.User.Value));
        return plan.Count == 0 && obstacle is not null ? (null, obstacle) : (plan, null);
    }

    /// <summary>The moves that would bring each user to the node of their pool that rendezvous hashing picks by the weights of now, and nobody else anywhere.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<PlannedMove>?> PlanRebalanceAsync(CancellationToken cancellationToken)
    {
        if (!await _registry.RefreshAsync(cancellationToken)) return null;
        var plan = new List<PlannedMove>();
        var isComplete = await AssignmentMap.ReadAllAsync(_redis, assignment =>
        {
            if (_registry.Current.Find(assignment.Node) is { } now && FindBetter(assignment, now.Node, _registry.Current.Takers) is { } move) plan.Add(move);
            return ValueTask.CompletedTask;
        }, cancellationToken);
        plan.Sort(static (left, right) => string.CompareOrdinal(left.User.Value, right.User.Value));
        return isComplete ? plan : null;
    }

    /// <summary>The move that would bring a user to the node of their pool that rendezvous hashing picks out of these.</summary>
    /// <returns><c>null</c> for one who is there, is moving, or cannot go there.</returns>
    internal static PlannedMove? FindBetter(Assignment assignment, BackendNode now, IReadOnlyList<BackendNode> takers)
    {
        if (assignment.Moving is not null || !UserName.TryCreate(assignment.User, null, out var user) || user.Value != assignment.User) return null;
        return RendezvousHash.Pick(user, now.Pool, takers) is { } target && target.Name != now.Name && target.IsBundled == now.IsBundled ? new PlannedMove(user, now.Name, target.Name) : null;
    }

    /// <summary>The moves that are not over, oldest first.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<Move>?> ListAsync(CancellationToken cancellationToken) =>
        await _ledger.ListAsync(cancellationToken) is { } users && await _ledger.ReadAsync(users, cancellationToken) is { } moves ? [.. moves.Where(static move => !move.IsOver)] : null;

    /// <summary>The last moves of these users, also those that are over within a day.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public Task<IReadOnlyList<Move>?> FindAsync(IReadOnlyList<UserName> users, CancellationToken cancellationToken) => _ledger.ReadAsync(users, cancellationToken);

    /// <param name="user">Who goes.</param>
    /// <param name="from">Where the user is.</param>
    /// <param name="to">Where to.</param>
    /// <param name="obstacle">Why no node of a pool takes the user, as a clause.</param>
    private string? Pick(UserName user, string from, string to, out string? obstacle)
    {
        obstacle = null;
        if (!to.StartsWith(PoolPrefix, StringComparison.Ordinal)) return _registry.Current.Find(to) is null ? null : to;
        var pool = to[PoolPrefix.Length..];
        var isBundled = _registry.Current.Find(from)?.Node.IsBundled;
        var picked = RendezvousHash.Pick(user, pool, [.. _registry.Current.Takers.Where(node => node.Name != from && node.IsBundled == isBundled)]);
        if (picked is null) obstacle = $"no other node of pool {pool} takes users who are on {from}";
        return picked?.Name;
    }
}

/// <summary>What became of an order to move a user.</summary>
/// <param name="Outcome">Whether it was given.</param>
public sealed record MoveOrder(MoveOutcome Outcome)
{
    /// <summary>The move's id, once ordered.</summary>
    public string? Id { get; init; }

    /// <summary>Where the user is; <c>null</c> where nobody knows.</summary>
    public string? From { get; init; }

    /// <summary>Where the user goes, or would; <c>null</c> where nobody knows.</summary>
    public string? To { get; init; }

    /// <summary>Why it cannot be, as a clause.</summary>
    public string? Reason { get; init; }
}

/// <summary>A move that could be ordered.</summary>
/// <param name="User">Who.</param>
/// <param name="From">Where the user is.</param>
/// <param name="To">Where to.</param>
public readonly record struct PlannedMove(UserName User, string From, string To);
