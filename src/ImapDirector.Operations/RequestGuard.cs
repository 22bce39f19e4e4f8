using ImapDirector.Operations.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ImapDirector.Operations;

/// <summary>What every request goes through first: strict headers on the answer, no body, and a target that says what it means.</summary>
internal static class RequestGuard
{
    /// <summary>The content type of all that is written here.</summary>
    public const string PlainText = "text/plain; charset=utf-8";

    private static readonly (string Name, string Value)[] Headers =
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];

    public static void Use(IApplicationBuilder pipeline)
    {
        pipeline.Use(static (context, next) =>
        {
            // At the last moment, so that what a node sent through the gateway is replaced and not added to.
            context.Response.OnStarting(static response => SetHeaders((HttpResponse)response), context.Response);
            return next(context);
        });
        pipeline.UseStatusCodePages(static page => IsApi(page.HttpContext)
            ? ApiAnswer.WriteAsync(page.HttpContext, ProblemOf(page.HttpContext.Response.StatusCode))
            : page.HttpContext.Response.WriteAsync($"{page.HttpContext.Response.StatusCode}\n"));
        pipeline.Use(static (context, next) =>
        {
            if (Refusal(context) is not { } status) return next(context);
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
    }

    private static int? Refusal(HttpContext context)
    {
        // None of our paths needs an escape or a dot segment. One that changes when it is decoded was written to be read in two ways,
        // such as /nodes/a/%2e%2e/b/metrics, which a proxy in front may have allowed as a path of node a.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        if (!string.Equals(path, context.Request.Path.Value, StringComparison.Ordinal)) return StatusCodes.Status404NotFound;
        return !IsApi(context) && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true ? StatusCodes.Status413PayloadTooLarge : null;
    }

    private static bool IsApi(HttpContext context) => context.Request.Path.StartsWithSegments("/api");

    private static ApiProblem ProblemOf(int status) => status switch
    {
        StatusCodes.Status404NotFound => ApiGate.NotFound,
        StatusCodes.Status405MethodNotAllowed => ApiProblem.Of(status, "not_allowed", "That cannot be done with it: \"Allow\" says what can."),
        _ => ApiProblem.Of(status, "invalid", "The request cannot be served."),
    };

    private static Task SetHeaders(HttpResponse response)
    {
        foreach (var (name, value) in Headers) response.Headers[name] = value;
        // An empty page of metrics has no type of its own, and browsers guess about what has none.
        response.ContentType ??= PlainText;
        return Task.CompletedTask;
    }
}
