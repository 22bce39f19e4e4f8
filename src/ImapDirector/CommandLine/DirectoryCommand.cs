using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using ImapDirector.Configuration;
using ImapDirector.Director.Directory;
using ImapDirector.Operations.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector directory …</c>: the user → node map.</summary>
internal static class DirectoryCommand
{
    private static readonly Option<bool> Offline = new("--offline") { Description = "Write to the Redis of --config itself, for when no director runs: before users log in again after Redis has lost everything." };

    public static Command Create()
    {
        var import = new Command("import", "Bring assignments back from standard input. One that is there stays.") { Offline };
        var online = ApiClient.Command("import", "", [], ImportAsync).Action!;
        import.SetAction((result, cancellationToken) => result.GetValue(Offline) ? ImportOfflineAsync(result, cancellationToken) : ((System.CommandLine.Invocation.AsynchronousCommandLineAction)online).InvokeAsync(result, cancellationToken));
        return ApiClient.Group("directory", "Keep the user → node map: a line of JSON for each user.",
            ApiClient.Command("explain", "Say why a user is where they are, and what would happen at the next login.", [UserCommand.Name], UserCommand.ExplainAsync),
            ApiClient.Command("export", "Write all assignments to standard output.", [], ExportAsync),
            import,
            ApiClient.Command("verify", "Look for assignments that nobody can log in with.", [], VerifyAsync));
    }

    private static async Task<int> ExportAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        await api.ReadLinesAsync("/directory", result.InvocationConfiguration.Output.WriteLine, cancellationToken);
        return ExitCode.Ok;
    }

    private static async Task<int> VerifyAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var verified = await api.AskAsync(HttpMethod.Get, "/directory/faults", ApiJson.Default.ApiVerified, null, cancellationToken, ApiClient.LongAnswerTimeout);
        foreach (var fault in verified.Faults) result.InvocationConfiguration.Output.WriteLine(fault);
        await result.InvocationConfiguration.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{verified.Looked} assignments, {verified.FaultCount} with a fault."));
        return verified.FaultCount == 0 ? ExitCode.Ok : ExitCode.Findings;
    }

    private static async Task<int> ImportAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        using var body = new StreamContent(Console.OpenStandardInput());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        return Report(result, await api.AskAsync(HttpMethod.Post, "/directory", ApiJson.Default.ApiImported, body, cancellationToken, ApiClient.LongAnswerTimeout));
    }

    private static async Task<int> ImportOfflineAsync(ParseResult result, CancellationToken cancellationToken)
    {
        if (ApiClient.ConfigOf(result) is not { } config) throw new ConfigurationException("--offline needs --config: name a director's configuration.");
        await using var map = new AssignmentMap(DirectorSettings.Read(SettingsSource.Load(config, [])).Director, NullLoggerFactory.Instance);
        await map.ConnectAsync(cancellationToken);
        var (line, done, same, left) = (0, 0, 0, new List<string>());
        while (await Console.In.ReadLineAsync(cancellationToken) is { } text)
        {
            line++;
            if (text.Length == 0) continue;
            var outcome = Read(text) is { } assignment ? await map.ImportAsync(assignment, cancellationToken) : ImportOutcome.Invalid;
            if (outcome == ImportOutcome.Done) done++;
            else if (outcome == ImportOutcome.Same) same++;
            else if (outcome != ImportOutcome.Unavailable) left.Add(string.Create(CultureInfo.InvariantCulture, $"line {line}: {ApiImported.Reason(outcome)}"));
            else
            {
                await result.InvocationConfiguration.Error.WriteLineAsync("imapdirector: Redis does not answer: see that it runs and that the configuration names it.");
                return ExitCode.Unavailable;
            }
        }
        return Report(result, new ApiImported(done, same, left, left.Count));
    }

    private static Assignment? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ApiJson.Default.Assignment);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int Report(ParseResult result, ApiImported imported)
    {
        foreach (var line in imported.LeftOut) result.InvocationConfiguration.Output.WriteLine(line);
        result.InvocationConfiguration.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{imported.BroughtBack} brought back, {imported.ThereAlready} there already, {imported.LeftOutCount} left out."));
        return imported.LeftOutCount == 0 ? ExitCode.Ok : ExitCode.Findings;
    }
}
