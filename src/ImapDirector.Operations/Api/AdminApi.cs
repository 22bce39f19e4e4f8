using ImapDirector.Director;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/…</c> of a director: what operators order.</summary>
internal sealed partial class AdminApi
{
    private readonly ILogger _logger;

    /// <param name="director">The director.</param>
    /// <param name="isReady">Whether a node's <c>/readyz</c> says so, by its name.</param>
    /// <param name="loggers">Where its loggers are made.</param>
    public AdminApi(DirectorServer director, Func<string, bool?> isReady, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger<AdminApi>();
        var audit = new AuditLog(_logger);
        Routes =
        [
            .. new NodeEndpoints(director, audit, isReady).Routes,
            .. new UserEndpoints(director, audit, isReady).Routes,
            .. new SessionEndpoints(director, audit).Routes,
            .. new DirectoryEndpoints(director, audit).Routes,
            .. new MoveEndpoints(director, audit).Routes,
            .. new PlanEndpoints(director).Routes,
        ];
    }

    /// <summary>All that it does, besides describing itself.</summary>
    public IReadOnlyList<ApiRoute> Routes { get; }

    public void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var route in Routes) endpoints.MapMethods(ApiGate.Prefix + route.Path, [route.Method], context => ServeAsync(context, route));
        var document = OpenApiDocument.Of(Routes);
        endpoints.MapMethods($"{ApiGate.Prefix}/openapi.json", AllowedMethods.Read, context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(document, context.RequestAborted).AsTask();
        });
    }

    private async Task ServeAsync(HttpContext context, ApiRoute route)
    {
        ApiAnswer answer;
        try
        {
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = route.Body is null ? 0 : route.MaxBodyBytes;
            answer = Misspelt(context, route) is { } problem ? problem
                : route.Body is null && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && context.Request.ContentLength is not 0 ? ApiProblem.Of(413, "too_large", "Nothing is to be sent here.")
                : await route.Handle(context);
        }
        catch (BadHttpRequestException wrong)
        {
            answer = wrong.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? ApiProblem.Of(413, "too_large", $"The body is larger than {route.MaxBodyBytes} bytes.")
                : ApiProblem.Of(wrong.StatusCode, "invalid", "The request cannot be read.");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            Log.Fault(_logger, route.Method, route.Path, fault);
            answer = ApiProblem.Of(500, "fault", "A fault of the program; its log says which.");
        }
        await answer.WriteAsync(context);
    }

    private static ApiProblem? Misspelt(HttpContext context, ApiRoute route)
    {
        foreach (var (name, values) in context.Request.Query)
            if (values.Count != 1 || !route.Query.Any(known => known.Name == name)) return ApiProblem.Invalid($"\"{Network.SettingRules.Shown(name)}\" is nothing that can be asked for here, or stands there twice.");
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(4303, LogLevel.Error, "A fault in {Method} {Path} of the API")]
        public static partial void Fault(ILogger logger, string method, string path, Exception fault);
    }
}
