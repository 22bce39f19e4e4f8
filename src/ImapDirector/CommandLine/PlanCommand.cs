using System.CommandLine;
using System.Globalization;
using ImapDirector.Operations.Api;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector nodes plan …</c>: what would become of a change, before anybody makes it.</summary>
internal static class PlanCommand
{
    private const int MaxTold = 10_000;

    private static readonly Argument<string> Node = new("node") { Description = "The node's name.", HelpName = "NODE" };
    private static readonly Argument<int> Weight = new("weight") { Description = "Its share of new users then.", HelpName = "WEIGHT" };
    private static readonly Option<int> NewWeight = new("--weight") { Description = "Its weight.", HelpName = "WEIGHT", DefaultValueFactory = _ => 100 };
    private static readonly Option<string?> Pool = new("--pool") { Description = "The pool; that of new users where it is left out.", HelpName = "POOL" };
    private static readonly Option<bool> Moves = new("--moves") { Description = $"Tell who would move, the first {MaxTold}." };

    /// <summary><c>nodes plan</c>.</summary>
    public static Command CreateForNodes() => new("plan", "Tell what would become of a change of the nodes. Nothing is changed.")
    {
        ApiClient.Command("remove", "Who would move if a node were taken out.", [Node, Moves], (api, result, cancellationToken) => TellAsync(api, result, $"/plans/remove?node={Named(result)}{Limit(result)}", cancellationToken)),
        ApiClient.Command("add", "What shares the nodes would have with one more.", [Node, NewWeight, Pool],
            (api, result, cancellationToken) => TellAsync(api, result, string.Create(CultureInfo.InvariantCulture, $"/plans/add?node={Named(result)}&weight={result.GetValue(NewWeight)}{PoolOf(result)}"), cancellationToken)),
        ApiClient.Command("weight", "What shares the nodes would have if one had another weight.", [Node, Weight],
            (api, result, cancellationToken) => TellAsync(api, result, string.Create(CultureInfo.InvariantCulture, $"/plans/weight?node={Named(result)}&weight={result.GetValue(Weight)}"), cancellationToken)),
    };

    private static string Named(ParseResult result) => ApiClient.Segment(result.GetValue(Node)!);

    private static string PoolOf(ParseResult result) => result.GetValue(Pool) is { } pool ? $"&pool={ApiClient.Segment(pool)}" : "";

    private static string Limit(ParseResult result) => result.GetValue(Moves) ? string.Create(CultureInfo.InvariantCulture, $"&limit={MaxTold}") : "";

    private static async Task<int> TellAsync(ApiClient api, ParseResult result, string path, CancellationToken cancellationToken)
    {
        var plan = await api.AskAsync(HttpMethod.Get, path, ApiJson.Default.ApiPlan, null, cancellationToken, ApiClient.LongAnswerTimeout);
        var output = result.InvocationConfiguration.Output;
        foreach (var node in plan.Nodes)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{node.Name}  {node.Users} users, then {node.UsersAfter}  {node.Share:P0} of new users, then {node.ShareAfter:P0}"));
        foreach (var move in plan.FirstMoves) output.WriteLine($"{move.User}  {move.From}  {move.To}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan.Moves} users of pool {plan.Pool} would move{(plan.ToBalance > 0 ? $"; \"rebalance\" would move {plan.ToBalance} afterwards" : "")}."));
        if (plan.Obstacle is not { } obstacle) return ExitCode.Ok;
        await result.InvocationConfiguration.Error.WriteLineAsync($"imapdirector: {obstacle}");
        return ExitCode.Findings;
    }
}
