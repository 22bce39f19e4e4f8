using ImapDirector.Director;
using ImapDirector.Director.Moves;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/moves</c>: users go from node to node.</summary>
internal sealed class MoveEndpoints(DirectorServer director, AuditLog audit)
{
    /// <summary>How many users of the map are looked at for the nearest names.</summary>
    private const int MaxLookedAt = 100_000;

    public IEnumerable<ApiRoute> Routes =>
    [
        new("POST", "/users/{user}/move", "Moves a user to another node; a director carries it out.", OrderAsync) { Body = ApiJson.Default.ApiMoveOrder, Answer = ApiJson.Default.ApiMoveOrdered },
        new("GET", "/moves", "Lists the moves that are not over; of one user the last, also one that is over within a day.", ListAsync) { Answer = ApiJson.Default.ApiMoves, Query = [("user", "Of this user.")] },
        new("GET", "/moves/plan", "Says who would move: off a node, or, with nothing said, so that everybody is where the weights of now would put them.", PlanAsync)
            { Answer = ApiJson.Default.ApiMovePlan, Query = [("from", "The node that all users leave."), ("to", "The node that they go to, or \"pool:\" and a pool's name.")] },
    ];

    private async Task<ApiAnswer> OrderAsync(HttpContext context)
    {
        if (director.NameOf(ApiRoute.Value(context, "user")) is not { } user) return UserEndpoints.InvalidName;
        var (body, wrong) = await ApiAnswer.ReadAsync(context, ApiJson.Default.ApiMoveOrder);
        if (body is null) return wrong!;
        if (await FindUnknownAsync(context, body.To, body.From) is { } unknown) return unknown;
        var order = await director.Moves.OrderAsync(user, body.To, body.From, body.IsDry, context.RequestAborted);
        switch (order.Outcome)
        {
            case MoveOutcome.Ordered:
                if (!body.IsDry) audit.Note(context, $"move user {user}", order.From!, order.To!);
                return ApiAnswer.Of(new ApiMoveOrdered(user.Value, order.From!, order.To!, order.Id), ApiJson.Default.ApiMoveOrdered);
            case MoveOutcome.Same:
                return ApiAnswer.Of(new ApiMoveOrdered(user.Value, order.From!, order.From!, null), ApiJson.Default.ApiMoveOrdered);
            case MoveOutcome.NotAssigned:
                var names = new List<string>();
                await director.Map.ReadAllAsync(assignment =>
                {
                    if (names.Count < MaxLookedAt) names.Add(assignment.User);
                    return ValueTask.CompletedTask;
                }, context.RequestAborted);
                return ApiProblem.None("user", user.Value, names);
            case MoveOutcome.NoSuchNode:
                return NodeEndpoints.NoSuchNode(director, body.To);
            case MoveOutcome.Moving:
                return Refused($"{user} is moving already.");
            case MoveOutcome.Elsewhere:
                return Refused($"{user} is not at node {body.From}, but at {order.From}.");
            case MoveOutcome.Refused:
                return Refused($"{user} cannot move: {order.Reason}.");
            default:
                return ApiProblem.Unavailable();
        }
    }

    private async Task<ApiAnswer> ListAsync(HttpContext context)
    {
        if (ApiRoute.Asked(context, "user") is { } name)
        {
            if (director.NameOf(name) is not { } user) return UserEndpoints.InvalidName;
            return await director.Moves.FindAsync([user], context.RequestAborted) is { } last ? Answer(last) : ApiProblem.Unavailable();
        }
        return await director.Moves.ListAsync(context.RequestAborted) is { } running ? Answer(running) : ApiProblem.Unavailable();
    }

    private async Task<ApiAnswer> PlanAsync(HttpContext context)
    {
        var (from, to) = (ApiRoute.Asked(context, "from"), ApiRoute.Asked(context, "to"));
        if (from is null != to is null) return ApiProblem.Invalid("\"from\" and \"to\" belong together: give both, or neither.");
        if (from is null) return await director.Moves.PlanRebalanceAsync(context.RequestAborted) is { } all ? Answer(all) : ApiProblem.Unavailable();
        if (await FindUnknownAsync(context, to!, from) is { } unknown) return unknown;
        var (plan, obstacle) = await director.Moves.PlanEvacuationAsync(from, to!, context.RequestAborted);
        return obstacle is not null ? Refused($"Nobody can move: {obstacle}.") : plan is null ? ApiProblem.Unavailable() : Answer(plan);
    }

    /// <summary>What is wrong with the place to go to, which may be a pool, or with the node to come from.</summary>
    private async Task<ApiProblem?> FindUnknownAsync(HttpContext context, string to, string? from)
    {
        if (await director.NodeOrders.ListAsync(context.RequestAborted) is not { } nodes) return ApiProblem.Unavailable();
        if (from is not null && nodes.Find(from) is null) return NodeEndpoints.NoSuchNode(director, from);
        if (!to.StartsWith(UserMoves.PoolPrefix, StringComparison.Ordinal)) return nodes.Find(to) is null ? NodeEndpoints.NoSuchNode(director, to) : null;
        var (pool, pools) = (to[UserMoves.PoolPrefix.Length..], nodes.All.Select(static status => status.Node.Pool).Distinct().ToList());
        return pools.Contains(pool) ? null : ApiProblem.None("pool", pool, pools);
    }

    private static ApiProblem Refused(string detail) => ApiProblem.Of(StatusCodes.Status409Conflict, "in_use", detail);

    private static ApiAnswer Answer(IReadOnlyList<PlannedMove> plan) =>
        ApiAnswer.Of(new ApiMovePlan([.. plan.Select(static move => new ApiMoveOrdered(move.User.Value, move.From, move.To, null))]), ApiJson.Default.ApiMovePlan);

    private static ApiAnswer Answer(IReadOnlyList<Move> moves) => ApiAnswer.Of(new ApiMoves([.. moves.Select(static move => new ApiMove(move.Id, move.User.Value, move.From, move.To,
        move.Step.ToString().ToLowerInvariant(), move.Director, move.Messages, move.BytesDone, move.BytesTotal,
        move is { Marked: { } marked, Opened: { } opened } ? (opened - marked).TotalSeconds : null, move.Reason))]), ApiJson.Default.ApiMoves);
}
