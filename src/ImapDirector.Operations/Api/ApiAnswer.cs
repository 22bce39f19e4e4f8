using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary>What a handler of the API answers: a status with a value, or a problem.</summary>
internal sealed class ApiAnswer
{
    private readonly Func<HttpContext, Task> _write;

    private ApiAnswer(Func<HttpContext, Task> write) => _write = write;

    public static ApiAnswer NoContent { get; } = new(static context =>
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    });

    public static ApiAnswer Of<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => new(context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(value, type, contentType: null, context.RequestAborted);
    });

    /// <summary>Something that is written bit by bit.</summary>
    public static ApiAnswer Stream(Func<HttpContext, Task> write) => new(write);

    public static implicit operator ApiAnswer(ApiProblem problem) => new(context => WriteAsync(context, problem));

    public Task WriteAsync(HttpContext context) => _write(context);

    public static Task WriteAsync(HttpContext context, ApiProblem problem)
    {
        context.Response.StatusCode = problem.Status;
        return context.Response.WriteAsJsonAsync(problem, ApiJson.Default.ApiProblem, ApiProblem.MediaType, context.RequestAborted);
    }

    /// <summary>Reads the body of a request.</summary>
    /// <returns>The value, or what is wrong with it.</returns>
    public static async Task<(T? Value, ApiProblem? Problem)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        if (!context.Request.HasJsonContentType()) return (null, ApiProblem.Of(415, "invalid", "Send JSON, with \"Content-Type: application/json\"."));
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } value) return (value, null);
        }
        catch (JsonException wrong)
        {
            // Its own message may quote what was sent.
            return (null, ApiProblem.Invalid($"The body is no such JSON as is asked for{(wrong.Path is { Length: > 1 } path ? $", at {Network.SettingRules.Shown(path)}" : "")}: see {ApiGate.Prefix}/openapi.json."));
        }
        return (null, ApiProblem.Invalid("The body is \"null\"."));
    }
}
