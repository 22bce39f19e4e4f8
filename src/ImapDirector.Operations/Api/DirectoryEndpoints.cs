using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/directory</c>: the user → node map as a whole.</summary>
internal sealed class DirectoryEndpoints(DirectorServer director, AuditLog audit)
{
    /// <summary>A line of an import. The longest that an export writes has some 400 bytes.</summary>
    private const int MaxLineBytes = 1024;

    /// <summary>An import as a whole: some ten million users.</summary>
    private const long MaxImportBytes = 1024L * 1024 * 1024;

    private const int MaxTold = 1000;

    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/directory", "Writes all assignments, a line of JSON each. A connection that ends early says that Redis went away: the list is not complete.", _ => Task.FromResult(ApiAnswer.Stream(ExportAsync)))
            { Answer = ApiJson.Default.Assignment, IsLines = true },
        new("POST", "/directory", "Brings assignments back, as an export has written them. One that is there stays: only a move changes it.", ImportAsync)
            { Body = ApiJson.Default.Assignment, IsLines = true, Answer = ApiJson.Default.ApiImported, MaxBodyBytes = MaxImportBytes },
        new("POST", "/directory/rebuild", "Asks every node whom it holds and writes assignments for users who have none; a line of JSON at a time. A connection that ends without a line of the end says that it was cut short.", RebuildAsync)
            { Answer = ApiJson.Default.RebuildLine, IsLines = true, Query = [("dry", "\"true\" to write nothing, and be told what would be."), ("without", "Nodes that are not asked, with a comma between.")] },
        new("GET", "/directory/faults", "Looks for assignments that nobody can log in with.", VerifyAsync) { Answer = ApiJson.Default.ApiVerified },
    ];

    private async Task ExportAsync(HttpContext context)
    {
        await using var json = Begin(context);
        if (!await director.Map.ReadAllAsync(assignment => WriteAsync(context, json, assignment, ApiJson.Default.Assignment), context.RequestAborted)) context.Abort();
    }

    private async Task<ApiAnswer> RebuildAsync(HttpContext context)
    {
        if (ApiRoute.Asked(context, "dry") is not (null or "true" or "false") and var dry) return ApiProblem.Invalid($"\"dry\" is \"{Network.SettingRules.Shown(dry)}\": write true or false.");
        var without = ApiRoute.Asked(context, "without")?.Split(',') ?? [];
        if (await director.NodeOrders.ListAsync(context.RequestAborted) is not { } nodes) return ApiProblem.Unavailable();
        if (without.FirstOrDefault(name => nodes.Find(name) is null) is { } unknown) return NodeEndpoints.NoSuchNode(director, unknown);
        return ApiAnswer.Stream(async context =>
        {
            await using var json = Begin(context);
            var end = await director.Rebuild.RunAsync(ApiRoute.Asked(context, "dry") == "true", without, line => WriteAsync(context, json, line, ApiJson.Default.RebuildLine), context.RequestAborted);
            if (end.Written > 0 && ApiRoute.Asked(context, "dry") != "true")
                audit.Note(context, "bring assignments back from the nodes", string.Create(CultureInfo.InvariantCulture, $"{end.ThereAlready} were there"), string.Create(CultureInfo.InvariantCulture, $"{end.Written} more are"));
        });
    }

    private static Utf8JsonWriter Begin(HttpContext context)
    {
        context.Response.ContentType = ApiRoute.Lines;
        return new Utf8JsonWriter(context.Response.BodyWriter);
    }

    private static async ValueTask WriteAsync<T>(HttpContext context, Utf8JsonWriter json, T value, JsonTypeInfo<T> type)
    {
        JsonSerializer.Serialize(json, value, type);
        await json.FlushAsync(context.RequestAborted);
        json.Reset();
        context.Response.BodyWriter.Write("\n"u8);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private async Task<ApiAnswer> VerifyAsync(HttpContext context)
    {
        var (looked, count, faults) = (0, 0, new List<string>());
        if (await director.NodeOrders.ListAsync(context.RequestAborted) is null) return ApiProblem.Unavailable();
        var isComplete = await director.Map.ReadAllAsync(assignment =>
        {
            looked++;
            if (director.Map.FindFault(assignment) is { } fault && count++ < MaxTold) faults.Add($"{assignment.User}: {fault}");
            return ValueTask.CompletedTask;
        }, context.RequestAborted);
        return isComplete ? ApiAnswer.Of(new ApiVerified(looked, faults, count), ApiJson.Default.ApiVerified) : ApiProblem.Unavailable();
    }

    private async Task<ApiAnswer> ImportAsync(HttpContext context)
    {
        var (line, done, same, count, left) = (0, 0, 0, 0, new List<string>());
        var isAway = false;
        var input = PipeReader.Create(context.Request.Body, new StreamPipeReaderOptions(leaveOpen: true));
        while (await ReadLineAsync(input, context.RequestAborted) is { } text)
        {
            line++;
            if (text.Length == 0) continue;
            var outcome = Read(text) is { } assignment ? await director.Map.ImportAsync(assignment, context.RequestAborted) : ImportOutcome.Invalid;
            if (outcome == ImportOutcome.Done) done++;
            else if (outcome == ImportOutcome.Same) same++;
            else if (isAway = outcome == ImportOutcome.Unavailable) break;
            else if (count++ < MaxTold) left.Add(string.Create(CultureInfo.InvariantCulture, $"line {line}: {ApiImported.Reason(outcome)}"));
        }
        if (done > 0) audit.Note(context, "bring assignments back", string.Create(CultureInfo.InvariantCulture, $"{same} were there"), string.Create(CultureInfo.InvariantCulture, $"{done} more are"));
        return isAway ? ApiProblem.Unavailable() : ApiAnswer.Of(new ApiImported(done, same, left, count), ApiJson.Default.ApiImported);
    }

    private static Assignment? Read(byte[] line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ApiJson.Default.Assignment);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>A line without its end, cut where it is too long to be one; <c>null</c> behind the last.</returns>
    private static async Task<byte[]?> ReadLineAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var isTooLong = false;
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var bytes = isTooLong || line.Length > MaxLineBytes ? "too long"u8.ToArray() : line.ToArray();
                input.AdvanceTo(buffer.GetPosition(1, end));
                return bytes;
            }
            if (read.IsCompleted)
            {
                var rest = isTooLong || buffer.Length > MaxLineBytes ? "too long"u8.ToArray() : buffer.ToArray();
                input.AdvanceTo(buffer.End);
                return rest.Length > 0 ? rest : null;
            }
            isTooLong |= buffer.Length > MaxLineBytes;
            input.AdvanceTo(isTooLong ? buffer.End : buffer.Start, buffer.End);
        }
    }
}
