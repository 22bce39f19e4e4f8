using System.Globalization;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/plans</c>: what would become of a change of the nodes. Nothing is changed.</summary>
internal sealed class PlanEndpoints(DirectorServer director)
{
    private const int MaxMoves = 10_000;

    private static readonly (string Name, string Meaning) Limit = ("limit", $"How many of the moves are told, 0 to {MaxMoves}; 0 where it is left out.");

    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/plans/remove", "Who would move where if a node were taken out.", RemoveAsync) { Answer = ApiJson.Default.ApiPlan, Query = [("node", "The node."), Limit] },
        new("GET", "/plans/add", "What shares nodes would have with one more.", AddAsync)
            { Answer = ApiJson.Default.ApiPlan, Query = [("node", "The node's name."), ("weight", "Its weight; 100 where it is left out."), ("pool", "Its pool; the default one where it is left out.")] },
        new("GET", "/plans/weight", "What shares nodes would have if one had another weight.", WeighAsync) { Answer = ApiJson.Default.ApiPlan, Query = [("node", "The node."), ("weight", "Its weight then.")] },
    ];

    private async Task<ApiAnswer> RemoveAsync(HttpContext context)
    {
        var (status, limit, problem) = await ReadAsync(context);
        if (problem is not null) return problem;
        if (status is null) return ApiProblem.Invalid("\"node\" is missing: name a node.");
        return await PlanAsync(limit, onMove => director.Planner.RemoveAsync(status, onMove, context.RequestAborted));
    }

    private async Task<ApiAnswer> AddAsync(HttpContext context)
    {
        if (ApiRoute.Asked(context, "node") is not { } name || !Network.SettingRules.IsName(name)) return ApiProblem.Invalid($"\"node\" is no name: {Network.SettingRules.NameRule}.");
        var pool = ApiRoute.Asked(context, "pool") ?? director.DefaultPool;
        if (!Network.SettingRules.IsName(pool)) return ApiProblem.Invalid($"\"pool\" is no name: {Network.SettingRules.NameRule}.");
        if (WeightOf(context, 100) is not { } weight) return InvalidWeight;
        if (await director.NodeOrders.ListAsync(context.RequestAborted) is not { } nodes) return ApiProblem.Unavailable();
        if (nodes.Find(name) is not null) return ApiProblem.Of(StatusCodes.Status409Conflict, "exists", $"There is a node {name} already.");
        return await PlanAsync(0, _ => director.Planner.ChangeAsync(new BackendNode { Name = name, Host = "", Pool = pool, Weight = weight }, context.RequestAborted));
    }

    private async Task<ApiAnswer> WeighAsync(HttpContext context)
    {
        var (status, _, problem) = await ReadAsync(context);
        if (problem is not null) return problem;
        if (status is null) return ApiProblem.Invalid("\"node\" is missing: name a node.");
        if (WeightOf(context, -1) is not { } weight || weight < 0) return InvalidWeight;
        return await PlanAsync(0, _ => director.Planner.ChangeAsync(status.Node with { Weight = weight }, context.RequestAborted));
    }

    private static ApiProblem InvalidWeight => ApiProblem.Invalid($"\"weight\" is no number from 0 to {BackendNode.MaxWeight}.");

    private static int? WeightOf(HttpContext context, int otherwise) => ApiRoute.Asked(context, "weight") is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var weight) && weight <= BackendNode.MaxWeight ? weight : null;

    /// <summary>The node that is asked about, where one is, and how many moves are to be told; both of now.</summary>
    private async Task<(NodeStatus? Node, int Limit, ApiProblem? Problem)> ReadAsync(HttpContext context)
    {
        var limit = 0;
        if (ApiRoute.Asked(context, "limit") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit > MaxMoves))
            return (null, 0, ApiProblem.Invalid($"\"limit\" is no number from 0 to {MaxMoves}."));
        if (await director.NodeOrders.ListAsync(context.RequestAborted) is not { } nodes) return (null, 0, ApiProblem.Unavailable());
        if (ApiRoute.Asked(context, "node") is not { } name) return (null, limit, null);
        return nodes.Find(name) is { } status ? (status, limit, null) : (null, 0, NodeEndpoints.NoSuchNode(director, name));
    }

    private static async Task<ApiAnswer> PlanAsync(int limit, Func<Func<PlannedMove, ValueTask>, Task<NodePlan?>> plan)
    {
        var told = new List<ApiPlannedMove>();
        var made = await plan(move =>
        {
            if (told.Count < limit) told.Add(new ApiPlannedMove(move.User.Value, move.From, move.To));
            return ValueTask.CompletedTask;
        });
        return made is null ? ApiProblem.Unavailable()
            : ApiAnswer.Of(new ApiPlan(made.Pool, [.. made.Nodes.Select(static node => new ApiPlannedNode(node.Name, node.Users, node.UsersAfter, node.Share, node.ShareAfter))], made.Moves, made.ToBalance, made.Obstacle, told), ApiJson.Default.ApiPlan);
    }
}
