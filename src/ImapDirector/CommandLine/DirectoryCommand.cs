using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector directory …</c>: the user → node map.</summary>
internal static class DirectoryCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    private static readonly Argument<string> Name = new("name") { Description = "The user, as name@domain.", HelpName = "NAME@DOMAIN" };

    public static Command Create() => ClusterCommand.Create("directory", "Keep the user → node map: a line of JSON for each user.",
        ClusterCommand.WithMap("explain", "Say why a user is where they are, and what would happen at the next login.", [Name], ExplainAsync),
        ClusterCommand.WithMap("export", "Write all assignments to standard output.", [], ExportAsync),
        ClusterCommand.WithMap("import", "Bring assignments back from standard input. One that is there stays.", [], ImportAsync),
        ClusterCommand.WithMap("verify", "Look for assignments that nobody can log in with.", [], VerifyAsync));

    private static async Task<int?> ExplainAsync(AssignmentMap map, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(result.GetValue(Name)!, settings.DefaultDomain, out var user))
        {
            await result.InvocationConfiguration.Error.WriteLineAsync("imapdirector: The name cannot be used: write it as name@domain, with letters, digits, '.', '-' and '_'.");
            return ExitCode.BadData;
        }
        if (await map.ExplainAsync(user, cancellationToken) is not { } why) return null;
        var output = result.InvocationConfiguration.Output;
        output.WriteLine($"user        {user}");
        output.WriteLine(why.Assignment is { } assignment
            ? string.Create(CultureInfo.InvariantCulture, $"assignment  {assignment.Node}, epoch {assignment.Epoch}")
            : "assignment  none yet: given at the first login or delivery");
        foreach (var node in why.Nodes) output.WriteLine($"node        {NodesCommand.Line(node)}");
        output.WriteLine($"new users   of this name would be given {why.Candidate ?? "no node: none of the default pool takes new users"}");
        output.WriteLine($"next login  {Outcome(map, why)}");
        return ExitCode.Ok;
    }

    private static string Outcome(AssignmentMap map, UserExplanation why)
    {
        if (why.Assignment is not { } assignment) return why.Candidate is { } candidate ? $"goes to {candidate}, for good" : "NO [UNAVAILABLE]: there is no node to be given";
        if (map.FindFault(assignment) is { } fault) return $"NO [UNAVAILABLE]: {fault}";
        return why.Nodes.First(node => node.Node.Name == assignment.Node).State == NodeState.Down
            ? $"NO [UNAVAILABLE]: {assignment.Node} is down; \"nodes up {assignment.Node}\" brings it back"
            : $"goes to {assignment.Node}, because the mail is there";
    }

    private static async Task<int?> ExportAsync(AssignmentMap map, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken) =>
        await map.ReadAllAsync(assignment => result.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(assignment, Json)), cancellationToken) ? ExitCode.Ok : null;

    private static async Task<int?> VerifyAsync(AssignmentMap map, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        var (looked, faults) = (0, 0);
        var isComplete = await map.ReadAllAsync(assignment =>
        {
            looked++;
            if (map.FindFault(assignment) is not { } fault) return;
            faults++;
            result.InvocationConfiguration.Output.WriteLine($"{assignment.User}: {fault}");
        }, cancellationToken);
        if (!isComplete) return null;
        await result.InvocationConfiguration.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{looked} assignments, {faults} with a fault."));
        return faults == 0 ? ExitCode.Ok : ExitCode.Findings;
    }

    private static async Task<int?> ImportAsync(AssignmentMap map, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        var (line, done, same, left) = (0, 0, 0, 0);
        while (await Console.In.ReadLineAsync(cancellationToken) is { } text)
        {
            line++;
            if (text.Length == 0) continue;
            var outcome = TryRead(text) is { } assignment ? await map.ImportAsync(assignment, cancellationToken) : ImportOutcome.Invalid;
            switch (outcome)
            {
                case ImportOutcome.Done:
                    done++;
                    break;
                case ImportOutcome.Same:
                    same++;
                    break;
                case ImportOutcome.Unavailable:
                    return null;
                default:
                    left++;
                    result.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"line {line}: {Reason(outcome)}"));
                    break;
            }
        }
        await result.InvocationConfiguration.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{done} brought back, {same} there already, {left} left out."));
        return left == 0 ? ExitCode.Ok : ExitCode.Findings;
    }

    private static string Reason(ImportOutcome outcome) => outcome switch
    {
        ImportOutcome.Other => "the user has another assignment, which stays: only a move changes it",
        ImportOutcome.UnknownNode => "the node is not configured",
        _ => "not a line that \"directory export\" writes",
    };

    private static Assignment? TryRead(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Assignment>(text, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
