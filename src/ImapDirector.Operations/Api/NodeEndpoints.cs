using System.Globalization;
using System.Text.Json;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/nodes</c> and <c>/api/v1/pools</c>.</summary>
internal sealed class NodeEndpoints(DirectorServer director, AuditLog audit, Func<string, bool?> isReady)
{
    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/nodes", "Lists the nodes.", ListAsync) { Answer = ApiJson.Default.ApiNodes },
        new("GET", "/nodes/{node}", "Shows a node.", GetAsync) { Answer = ApiJson.Default.ApiNode },
        new("POST", "/nodes", "Adds a node: its name and what is to be set of it, as PATCH takes it. A configured node that was taken out comes back.", AddAsync)
            { Body = ApiJson.Default.DictionaryStringJsonElement, Answer = ApiJson.Default.ApiNode, Status = StatusCodes.Status201Created },
        new("PATCH", "/nodes/{node}", "Changes a node: state, weight, pool, host, imapPort, lmtpPort, http, tls, of one that is not configured also tlsName, tlsFingerprint, kind and login; null for as it is configured.", PatchAsync)
            { Body = ApiJson.Default.DictionaryStringJsonElement, Answer = ApiJson.Default.ApiNode },
        new("POST", "/nodes/{node}/up", "The node takes its users, and new ones.", context => SetStateAsync(context, "up")) { Answer = ApiJson.Default.ApiNode },
        new("POST", "/nodes/{node}/drain", "The node takes its users, and no new ones.", context => SetStateAsync(context, "draining")) { Answer = ApiJson.Default.ApiNode },
        new("POST", "/nodes/{node}/down", "The node takes nobody.", context => SetStateAsync(context, "down")) { Answer = ApiJson.Default.ApiNode },
        new("DELETE", "/nodes/{node}", "Takes a node out that has no users any more.", RemoveAsync) { Status = StatusCodes.Status204NoContent },
        new("GET", "/pools", "Lists the pools.", ListPoolsAsync) { Answer = ApiJson.Default.ApiPools },
    ];

    /// <summary>A node as it is shown.</summary>
    public static ApiNode Shown(NodeStatus status, bool isWell, bool? isReady) => new(status.Node.Name, Word(status.State), status.Since, isWell, isReady, status.Node.Pool, status.Node.Weight, status.Configured?.Weight,
        status.Node.Host, status.Node.ImapPort, status.Node.LmtpPort, status.Node.Http?.OriginalString, status.Node.Tls.ToString().ToLowerInvariant(), status.Node.TlsName, status.Node.TlsFingerprint, status.Fault,
        status.Node.Kind.ToString().ToLowerInvariant(), status.Node.Login.ToString().ToLowerInvariant());

    public static ApiProblem NoSuchNode(DirectorServer director, string name) => ApiProblem.None("node", name, director.Nodes.All.Select(static status => status.Node.Name));

    private static string Word(NodeState state) => state.ToString().ToLowerInvariant();

    private ApiNode Shown(NodeStatus status) => Shown(status, status.Fault is null && director.IsWell(status.Node), isReady(status.Node.Name));

    private async Task<ApiAnswer> ListAsync(HttpContext context) => await director.NodeOrders.ListAsync(context.RequestAborted) is { } nodes
        ? ApiAnswer.Of(new ApiNodes([.. nodes.All.Select(Shown)]), ApiJson.Default.ApiNodes) : ApiProblem.Unavailable();

    private async Task<ApiAnswer> GetAsync(HttpContext context)
    {
        var name = ApiRoute.Value(context, "node");
        if (await director.NodeOrders.ListAsync(context.RequestAborted) is not { } nodes) return ApiProblem.Unavailable();
        return nodes.Find(name) is { } status ? ApiAnswer.Of(Shown(status), ApiJson.Default.ApiNode) : NoSuchNode(director, name);
    }

    private async Task<ApiAnswer> ListPoolsAsync(HttpContext context) => await director.NodeOrders.ListAsync(context.RequestAborted) is { } nodes
        ? ApiAnswer.Of(new ApiPools([.. nodes.All.GroupBy(static status => status.Node.Pool).OrderBy(static pool => pool.Key, StringComparer.Ordinal).Select(pool =>
            new ApiPool(pool.Key, pool.Key == director.DefaultPool, [.. pool.Select(static status => status.Node.Name)],
                pool.Where(static status => status.State == NodeState.Up).Sum(static status => status.Node.Weight)))]), ApiJson.Default.ApiPools)
        : ApiProblem.Unavailable();

    private async Task<ApiAnswer> AddAsync(HttpContext context)
    {
        var (fields, problem) = await ReadFieldsAsync(context);
        if (fields is null) return problem!;
        if (!fields.Remove("name", out var name) || name is null) return ApiProblem.Invalid("\"name\" is missing: give the node a name.");
        return Answer(context, name, $"add node {name}", await director.NodeOrders.AddAsync(name, fields, context.RequestAborted), StatusCodes.Status201Created);
    }

    private async Task<ApiAnswer> PatchAsync(HttpContext context)
    {
        var (fields, problem) = await ReadFieldsAsync(context);
        return fields is null ? problem! : await ChangeAsync(context, fields);
    }

    private Task<ApiAnswer> SetStateAsync(HttpContext context, string state) => ChangeAsync(context, new Dictionary<string, string?> { ["state"] = state });

    private async Task<ApiAnswer> ChangeAsync(HttpContext context, Dictionary<string, string?> fields)
    {
        var name = ApiRoute.Value(context, "node");
        var what = $"change node {name}: {string.Join(' ', fields.Select(static field => $"{field.Key}={field.Value ?? "as configured"}"))}";
        return Answer(context, name, what, await director.NodeOrders.ChangeAsync(name, fields, context.RequestAborted), StatusCodes.Status200OK);
    }

    private async Task<ApiAnswer> RemoveAsync(HttpContext context)
    {
        var name = ApiRoute.Value(context, "node");
        return Answer(context, name, $"take node {name} out", await director.NodeOrders.RemoveAsync(name, context.RequestAborted), StatusCodes.Status204NoContent);
    }

    private ApiAnswer Answer(HttpContext context, string name, string what, NodeResult result, int status)
    {
        switch (result.Outcome)
        {
            case NodeOutcome.Done:
                audit.Note(context, what, Described(result.Before), Described(result.After));
                return result.After is { } after ? ApiAnswer.Of(Shown(after), ApiJson.Default.ApiNode, status) : ApiAnswer.NoContent;
            case NodeOutcome.NoSuchNode:
                return NoSuchNode(director, name);
            case NodeOutcome.Exists:
                return ApiProblem.Of(StatusCodes.Status409Conflict, "exists", result.Reason!);
            case NodeOutcome.InUse:
                return ApiProblem.Of(StatusCodes.Status409Conflict, "in_use", result.Reason!);
            case NodeOutcome.Invalid:
                return ApiProblem.Invalid(result.Reason!);
            default:
                return ApiProblem.Unavailable();
        }
    }

    private static string Described(NodeStatus? status) => status is null ? "none" : string.Create(CultureInfo.InvariantCulture,
        $"{Word(status.State)} weight={status.Node.Weight} pool={status.Node.Pool} {status.Node.Host}:{status.Node.ImapPort}");

    private static async Task<(Dictionary<string, string?>? Fields, ApiProblem? Problem)> ReadFieldsAsync(HttpContext context)
    {
        var (body, problem) = await ApiAnswer.ReadAsync(context, ApiJson.Default.DictionaryStringJsonElement);
        if (body is null) return (null, problem);
        var fields = new Dictionary<string, string?>();
        foreach (var (name, value) in body)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    fields[name] = value.GetString();
                    break;
                case JsonValueKind.Number:
                    fields[name] = value.GetRawText();
                    break;
                case JsonValueKind.Null:
                    fields[name] = null;
                    break;
                default:
                    return (null, ApiProblem.Invalid($"\"{Network.SettingRules.Shown(name)}\" is neither a text nor a number nor null."));
            }
        }
        return fields.Count > 0 ? (fields, null) : (null, ApiProblem.Invalid("Nothing is given that is to be set."));
    }
}
