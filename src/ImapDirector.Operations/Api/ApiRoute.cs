using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary>One thing that <c>/api/v1</c> does. The document that describes the API is made of these, so it says what there is.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">Behind the prefix, with <c>{name}</c> for what varies.</param>
/// <param name="Summary">What it does, in a sentence.</param>
/// <param name="Handle">Does it.</param>
internal sealed record ApiRoute(string Method, string Path, string Summary, Func<HttpContext, Task<ApiAnswer>> Handle)
{
    public const string Lines = "application/x-ndjson";

    /// <summary>What it is sent; <c>null</c> for nothing.</summary>
    public JsonTypeInfo? Body { get; init; }

    /// <summary>What it answers; <c>null</c> for nothing.</summary>
    public JsonTypeInfo? Answer { get; init; }

    /// <summary>Whether the body, or the answer to what has none, is many such values, one a line.</summary>
    public bool IsLines { get; init; }

    /// <summary>The status of success.</summary>
    public int Status { get; init; } = StatusCodes.Status200OK;

    public long MaxBodyBytes { get; init; } = ApiGate.MaxBodyBytes;

    /// <summary>What may stand behind the question mark, and its meaning. Anything else there is refused: it is most often a spelling mistake.</summary>
    public IReadOnlyList<(string Name, string Meaning)> Query { get; init; } = [];

    /// <summary>What stands in the place of a name in the path.</summary>
    public static string Value(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    /// <summary>What stands behind the question mark under a name, once; <c>null</c> where nothing does.</summary>
    public static string? Asked(HttpContext context, string name) => context.Request.Query.TryGetValue(name, out var values) ? values.ToString() : null;
}
