using System.CommandLine;
using System.Globalization;
using ImapDirector.Director.Moves;
using ImapDirector.Operations.Api;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector user move</c>, <c>moves list</c> and <c>rebalance</c>: users go from node to node.</summary>
internal static class MoveCommand
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    private static readonly Argument<string?> Name = new("name") { Description = "The user, as name@domain; leave it out with --all.", HelpName = "NAME@DOMAIN", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Node = new("node") { Description = $"The node, or \"{UserMoves.PoolPrefix}NAME\" for the node of a pool that hashing picks.", HelpName = "NODE", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> All = new("--all") { Description = "All users of the node that --from names." };
    private static readonly Option<string?> From = new("--from") { Description = "The node that users leave.", HelpName = "NODE" };
    private static readonly Option<string?> To = new("--to") { Description = $"With --all: the node, or \"{UserMoves.PoolPrefix}NAME\", where they are spread by weight.", HelpName = "NODE" };
    private static readonly Option<string?> Rate = new("--rate") { Description = "How many users begin to move, such as 10/s, 30/m or 1000/h; 1/s when it is left out.", HelpName = "N/s" };
    private static readonly Option<bool> Plan = new("--plan") { Description = "Say who would move, and change nothing." };
    private static readonly Option<bool> Apply = new("--apply") { Description = "Move them." };
    private static readonly Option<bool> Dry = new("--dry-run") { Description = "Only say what would be done." };

    public static Command CreateMove() => ApiClient.Command("move", "Move a user, or all users of a node, to another node.", [Name, Node, All, From, To, Rate, Dry], MoveAsync);

    public static Command CreateMoves() => ApiClient.Group("moves", "Look at users who are moving.", ApiClient.Command("list", "List the moves that are not over.", [], ListAsync));

    public static Command CreateRebalance() => ApiClient.Command("rebalance", "Bring users to the nodes that the weights of now give them.", [.. ApiClient.Sources, Plan, Apply, Rate], RebalanceAsync);

    private static async Task<int> MoveAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var (name, node, from, to) = (result.GetValue(Name), result.GetValue(Node), result.GetValue(From), result.GetValue(To));
        if (!result.GetValue(All))
        {
            if (name is null || node is null || from is not null || to is not null || result.GetValue(Rate) is not null) throw Usage("Give a user and a node, or --all with --from and --to.");
            return await MoveOneAsync(api, result, name, node, cancellationToken);
        }
        if (name is not null || from is null || to is null) throw Usage("With --all give --from and --to, and no user.");
        var plan = await api.GetAsync($"/moves/plan?from={Uri.EscapeDataString(from)}&to={Uri.EscapeDataString(to)}", ApiJson.Default.ApiMovePlan, cancellationToken, ApiClient.LongAnswerTimeout);
        return await CarryOutAsync(api, result, plan.Moves, result.GetValue(Dry), cancellationToken);
    }

    private static async Task<int> MoveOneAsync(ApiClient api, ParseResult result, string name, string node, CancellationToken cancellationToken)
    {
        var isDry = result.GetValue(Dry);
        var order = await MoveBatch.OrderAsync(api, name, new ApiMoveOrder(node, null, isDry), cancellationToken);
        if (order.From == order.To) result.InvocationConfiguration.Output.WriteLine($"{order.User} is at {order.To} already.");
        else if (isDry) result.InvocationConfiguration.Output.WriteLine($"{order.User} would move from {order.From} to {order.To}.");
        else return await FollowAsync(api, result, order, cancellationToken);
        return ExitCode.Ok;
    }

    /// <summary>Shows how far a move is until it is over. Whoever stops this does not stop the move.</summary>
    private static async Task<int> FollowAsync(ApiClient api, ParseResult result, ApiMoveOrdered order, CancellationToken cancellationToken)
    {
        for (var shown = ""; ; await Task.Delay(BetweenLooks, cancellationToken))
        {
            if (await MoveBatch.FindAsync(api, order.User, cancellationToken) is not { } move || move.Id != order.Id)
                throw new RefusedException(ExitCode.Unavailable, $"{MoveBatch.Unknown}: \"user explain {order.User}\" tells where the user is.");
            var line = Line(move);
            if (line != shown) await result.InvocationConfiguration.Error.WriteLineAsync(shown = line);
            if (move.Step == "failed") throw new RefusedException(ExitCode.InUse, $"{move.User} stays at {move.From}: {move.Reason}.");
            if (move.Step != "done") continue;
            result.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{move.User} has moved from {move.From} to {move.To}: {move.Messages} messages, {move.WaitSeconds:F1} s without the mail."));
            return ExitCode.Ok;
        }
    }

    private static async Task<int> RebalanceAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        if (result.GetValue(Plan) == result.GetValue(Apply)) throw Usage("Give --plan or --apply.");
        return await CarryOutAsync(api, result, (await api.GetAsync("/moves/plan", ApiJson.Default.ApiMovePlan, cancellationToken, ApiClient.LongAnswerTimeout)).Moves, result.GetValue(Plan), cancellationToken);
    }

    private static async Task<int> CarryOutAsync(ApiClient api, ParseResult result, IReadOnlyList<ApiMoveOrdered> plan, bool isDry, CancellationToken cancellationToken)
    {
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        if (isDry)
        {
            foreach (var move in plan) output.WriteLine($"{move.User}: {move.From} to {move.To}");
            foreach (var pair in plan.GroupBy(static move => $"from {move.From} to {move.To}").OrderBy(static pair => pair.Key, StringComparer.Ordinal))
                await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{pair.Count()} {pair.Key}"));
            return ExitCode.Ok;
        }
        if (!MoveBatch.TryReadRate(result.GetValue(Rate) ?? "1/s", out var interval))
            throw Usage($"The rate is \"{result.GetValue(Rate)}\": write a number from 1 to 1000 and a unit, such as 10/s, 30/m or 1000/h.");
        var batch = new MoveBatch(api, plan, interval);
        await batch.RunAsync(error.WriteLine, cancellationToken);
        foreach (var (user, reason) in batch.Stayed) output.WriteLine($"{user}: {reason}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{batch.Done} of {plan.Count} users have moved, {batch.Stayed.Count} have not, or it is not known."));
        return batch.Stayed.Count > 0 ? ExitCode.Findings : ExitCode.Ok;
    }

    private static async Task<int> ListAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        foreach (var move in (await api.GetAsync("/moves", ApiJson.Default.ApiMoves, cancellationToken)).Moves) result.InvocationConfiguration.Output.WriteLine($"{move.User}  {Line(move)}");
        return ExitCode.Ok;
    }

    private static string Line(ApiMove move)
    {
        var bytes = move.BytesTotal > 0 ? string.Create(CultureInfo.InvariantCulture, $"  {move.BytesDone / 1024} of {move.BytesTotal / 1024} KB") : "";
        return $"{move.From} to {move.To}  {move.Step}{bytes}{(move.Director is { } director ? $"  director {director}" : "")}{(move.Reason is { } reason ? $"  {reason}" : "")}";
    }

    private static RefusedException Usage(string text) => new(ExitCode.Usage, text);
}
