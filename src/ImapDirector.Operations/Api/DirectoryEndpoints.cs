using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
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
        new("GET", "/directory/faults", "Looks for assignments that nobody can log in with.", VerifyAsync) { Answer = ApiJson.Default.ApiVerified },
    ];

    private async Task ExportAsync(HttpContext context)
    {
        context.Response.ContentType = ApiRoute.Lines;
        var output = context.Response.BodyWriter;
        await using var json = new Utf8JsonWriter(output);
        var isComplete = await director.Map.ReadAllAsync(async assignment =>
        {
            JsonSerializer.Serialize(json, assignment, ApiJson.Default.Assignment);
            await json.FlushAsync(context.RequestAborted);
            json.Reset();
            output.Write("\n"u8);
            await output.FlushAsync(context.RequestAborted);
        }, context.RequestAborted);
        if (!isComplete) context.Abort();
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
