using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ImapDirector.Operations.Health;

/// <summary><c>/livez</c>: the process answers. <c>/readyz</c>: it can serve, or why it cannot.</summary>
internal sealed class HealthEndpoints(IReadOnlyList<ReadinessCheck> checks)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods("/livez", AllowedMethods.Read, static context => WriteAsync(context, StatusCodes.Status200OK, "ok\n"));
        endpoints.MapMethods("/readyz", AllowedMethods.Read, AnswerReadinessAsync);
    }

    private async Task AnswerReadinessAsync(HttpContext context)
    {
        var reasons = await Task.WhenAll(checks.Select(check => check.NotReadyReasonAsync(context.RequestAborted)));
        var lines = new StringBuilder();
        for (var i = 0; i < reasons.Length; i++)
        {
            if (reasons[i] is { } reason) lines.Append(checks[i].Name).Append(": ").Append(reason).Append('\n');
        }
        await (lines.Length == 0
            ? WriteAsync(context, StatusCodes.Status200OK, "ready\n")
            : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, lines.ToString()));
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = RequestGuard.PlainText;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
