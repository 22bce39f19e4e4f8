using System.CommandLine;
using System.Globalization;
using ImapDirector.Director;
using ImapDirector.Operations.Api;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector nodes …</c>: which nodes there are, and whom they take.</summary>
internal static class NodesCommand
{
    private const string AsConfigured = "configured";

    private static readonly Argument<string> Name = new("node") { Description = "The node's name.", HelpName = "NODE" };
    private static readonly Argument<string> Weight = new("weight") { Description = $"Its share of new users, 0 to {BackendNode.MaxWeight}, or \"{AsConfigured}\".", HelpName = "WEIGHT" };
    private static readonly Argument<string[]> Fields = new("fields")
    {
        Description = $"What is to be set: state, weight, pool, host, imapPort, lmtpPort, http, tls (none, starttls, implicit), of an added one also tlsName, tlsFingerprint, kind (bundled, generic) and login (master, password); \"{AsConfigured}\" for as it is configured.",
        HelpName = "FIELD=VALUE",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create() => ApiClient.Group("nodes", "Say which nodes there are, and whom they take.",
        ApiClient.Command("list", "List the nodes.", [], ListAsync),
        ApiClient.Command("up", "A node takes its users, and new ones.", [Name], (api, result, cancellationToken) => SetStateAsync(api, result, "up", cancellationToken)),
        ApiClient.Command("drain", "A node takes its users, and no new ones.", [Name], (api, result, cancellationToken) => SetStateAsync(api, result, "drain", cancellationToken)),
        ApiClient.Command("down", "A node takes nobody: its users cannot log in, and mail for them waits. Sessions that run go on.", [Name],
            (api, result, cancellationToken) => SetStateAsync(api, result, "down", cancellationToken)),
        ApiClient.Command("weight", "Give a node another share of new users.", [Name, Weight],
            (api, result, cancellationToken) => SetAsync(api, result, HttpMethod.Patch, $"/nodes/{Named(result)}", [$"weight={result.GetValue(Weight)}"], cancellationToken)),
        ApiClient.Command("add", "Add a node, such as: nodes add node4 host=10.0.0.14 http=http://10.0.0.14:1180", [Name, Fields],
            (api, result, cancellationToken) => SetAsync(api, result, HttpMethod.Post, "/nodes", [$"name={Named(result)}", .. result.GetValue(Fields)!], cancellationToken)),
        ApiClient.Command("set", "Change a node, such as: nodes set node4 host=10.0.0.15 pool=archive", [Name, Fields],
            (api, result, cancellationToken) => SetAsync(api, result, HttpMethod.Patch, $"/nodes/{Named(result)}", result.GetValue(Fields)!, cancellationToken)),
        ApiClient.Command("remove", "Take a node out that has no users any more.", [Name], RemoveAsync),
        PlanCommand.CreateForNodes());

    /// <summary>A node, as lists show it.</summary>
    public static string Line(ApiNode node)
    {
        var weight = node.ConfiguredWeight is { } configured && configured != node.Weight ? $"{node.Weight} (configured {configured})" : $"{node.Weight}";
        var more = (node.Kind == "bundled" ? "" : $"  {node.Kind}") + (node.Login == "master" ? "" : "  users' passwords") + (node.ConfiguredWeight is null ? "  added" : "") + (node.IsWell || node.Fault is not null ? "" : "  does not answer") + (node.IsReady is false ? "  not ready" : "") + (node.Fault is { } fault ? $"  {fault}" : "");
        return string.Create(CultureInfo.InvariantCulture, $"{node.Name}  {node.State}  weight {weight}  pool {node.Pool}  {node.Host}:{node.ImapPort}{more}");
    }

    private static string Named(ParseResult result) => ApiClient.Segment(result.GetValue(Name)!);

    private static async Task<int> ListAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        foreach (var node in (await api.GetAsync("/nodes", ApiJson.Default.ApiNodes, cancellationToken)).Nodes) result.InvocationConfiguration.Output.WriteLine(Line(node));
        return ExitCode.Ok;
    }

    private static async Task<int> SetStateAsync(ApiClient api, ParseResult result, string verb, CancellationToken cancellationToken)
    {
        result.InvocationConfiguration.Output.WriteLine(Line(await api.AskAsync(HttpMethod.Post, $"/nodes/{Named(result)}/{verb}", ApiJson.Default.ApiNode, null, cancellationToken)));
        return ExitCode.Ok;
    }

    private static async Task<int> SetAsync(ApiClient api, ParseResult result, HttpMethod method, string path, IReadOnlyList<string> assignments, CancellationToken cancellationToken)
    {
        var fields = new Dictionary<string, string?>();
        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new RefusedException(ExitCode.BadData, "What is to be set has no \"=\": write it as FIELD=VALUE, such as weight=50.");
            var value = assignment[(equals + 1)..];
            fields[assignment[..equals]] = value == AsConfigured ? null : value;
        }
        result.InvocationConfiguration.Output.WriteLine(Line(await api.AskAsync(method, path, ApiJson.Default.ApiNode, ApiClient.Json(fields, ApiJson.Default.DictionaryStringString!), cancellationToken)));
        return ExitCode.Ok;
    }

    private static async Task<int> RemoveAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        await api.OrderAsync(HttpMethod.Delete, $"/nodes/{Named(result)}", null, cancellationToken);
        result.InvocationConfiguration.Output.WriteLine($"{result.GetValue(Name)} is taken out.");
        return ExitCode.Ok;
    }
}
