using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Operations.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector directory …</c>: the user → node map.</summary>
internal static class DirectoryCommand
{
    private static readonly Option<bool> Offline = new("--offline") { Description = "Write to the Redis of --config itself, for when no director runs: before users log in again after Redis has lost everything." };

    public static Command Create() => ApiClient.Group("directory", "Keep the user → node map: a line of JSON for each user.",
        ApiClient.Command("explain", "Say why a user is where they are, and what would happen at the next login.", [UserCommand.Name], UserCommand.ExplainAsync),
        ApiClient.Command("export", "Write all assignments to standard output.", [], ExportAsync),
        OnAndOffline("import", "Bring assignments back from standard input. One that is there stays.", [], ImportAsync, ImportOfflineAsync),
        OnAndOffline("rebuild", "Ask every node whom it holds, and bring assignments back for users who have none. One that is there stays; of users who are found twice it is told, and nobody chooses.",
            RebuildCommand.Options, RebuildCommand.RunAsync, RebuildCommand.RunOfflineAsync),
        ApiClient.Command("verify", "Look for assignments that nobody can log in with.", [], VerifyAsync));

    /// <summary>A command that asks a director or, with --offline, does the work itself.</summary>
    private static Command OnAndOffline(string name, string description, Symbol[] symbols, Func<ApiClient, ParseResult, CancellationToken, Task<int>> run, Func<AssignmentMap, DirectorOptions, ParseResult, CancellationToken, Task<int>> runOffline)
    {
        var command = ApiClient.Command(name, description, [.. symbols, Offline], run);
        var online = (AsynchronousCommandLineAction)command.Action!;
        command.SetAction((result, cancellationToken) => result.GetValue(Offline) ? RunOfflineAsync(result, runOffline, cancellationToken) : online.InvokeAsync(result, cancellationToken));
        return command;
    }

    private static Task<int> RunOfflineAsync(ParseResult result, Func<AssignmentMap, DirectorOptions, ParseResult, CancellationToken, Task<int>> run, CancellationToken cancellationToken) => ApiClient.TellRefusalAsync(result, async () =>
    {
        if (ApiClient.ConfigOf(result) is not { } config) throw new ConfigurationException("--offline needs --config: name a director's configuration.");
        var options = DirectorSettings.Read(SettingsSource.Load(config, [])).Director;
        await using var map = new AssignmentMap(options, NullLoggerFactory.Instance);
        await map.ConnectAsync(cancellationToken);
        return await run(map, options, result, cancellationToken);
    });

    private static async Task<int> ExportAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        await api.ReadLinesAsync(HttpMethod.Get, "/directory", result.InvocationConfiguration.Output.WriteLine, cancellationToken);
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

    private static async Task<int> ImportOfflineAsync(AssignmentMap map, DirectorOptions options, ParseResult result, CancellationToken cancellationToken)
    {
        var (line, done, same, left) = (0, 0, 0, new List<string>());
        while (await Console.In.ReadLineAsync(cancellationToken) is { } text)
        {
            line++;
            if (text.Length == 0) continue;
            var outcome = Read(text) is { } assignment ? await map.ImportAsync(assignment, cancellationToken) : ImportOutcome.Invalid;
            if (outcome == ImportOutcome.Done) done++;
            else if (outcome == ImportOutcome.Same) same++;
            else if (outcome != ImportOutcome.Unavailable) left.Add(string.Create(CultureInfo.InvariantCulture, $"line {line}: {ApiImported.Reason(outcome)}"));
            else throw new RefusedException(ExitCode.Unavailable, "Redis does not answer: see that it runs and that the configuration names it.");
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
