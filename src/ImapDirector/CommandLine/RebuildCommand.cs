using System.CommandLine;
using System.Text.Json;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Operations.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector directory rebuild</c>: the map comes back from the nodes.</summary>
internal static class RebuildCommand
{
    private static readonly Option<bool> Dry = new("--dry-run") { Description = "Only say what would be brought back." };
    private static readonly Option<string[]> Without = new("--without") { Description = "A node that is not asked, since it is away. Without this all have to answer, or nothing is written.", HelpName = "NODE", Arity = ArgumentArity.OneOrMore };

    public static Symbol[] Options => [Dry, Without];

    public static async Task<int> RunAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var without = result.GetValue(Without) ?? [];
        var path = "/directory/rebuild?dry=" + (result.GetValue(Dry) ? "true" : "false") + (without.Length > 0 ? "&without=" + string.Join(',', without.Select(ApiClient.Segment)) : "");
        int? code = null;
        await api.ReadLinesAsync(HttpMethod.Post, path, text => code = Tell(result, JsonSerializer.Deserialize(text, ApiJson.Default.RebuildLine) ?? throw new JsonException()), cancellationToken);
        return code ?? throw new RefusedException(ExitCode.Unavailable, "The director went away before the end: run it again, it goes on where it was.");
    }

    public static async Task<int> RunOfflineAsync(AssignmentMap map, DirectorOptions options, ParseResult result, CancellationToken cancellationToken)
    {
        using var rebuild = Open(map, options);
        var without = result.GetValue(Without) ?? [];
        if (without.FirstOrDefault(name => !rebuild.NodeNames.Contains(name)) is { } unknown) throw new RefusedException(ExitCode.Unknown, ApiProblem.None("node", unknown, rebuild.NodeNames).Detail);
        return CodeOf(await rebuild.RunAsync(result.GetValue(Dry), without, line =>
        {
            Tell(result, line);
            return ValueTask.CompletedTask;
        }, cancellationToken));
    }

    private static MapRebuild Open(AssignmentMap map, DirectorOptions options)
    {
        try
        {
            return new MapRebuild(map, options, NullLoggerFactory.Instance);
        }
        catch (InvalidDataException unusable)
        {
            throw new ConfigurationException(unusable.Message);
        }
    }

    /// <returns>The exit code, of the last line.</returns>
    private static int? Tell(ParseResult result, RebuildLine line)
    {
        (line.Kind == RebuildKind.Finding ? result.InvocationConfiguration.Output : result.InvocationConfiguration.Error).WriteLine(line.Text);
        return line.End is { } end ? CodeOf(end) : null;
    }

    private static int CodeOf(RebuildEnd end) => end.Outcome switch
    {
        RebuildOutcome.Done => end.Findings == 0 ? ExitCode.Ok : ExitCode.Findings,
        RebuildOutcome.Busy => ExitCode.InUse,
        _ => ExitCode.Unavailable,
    };
}
