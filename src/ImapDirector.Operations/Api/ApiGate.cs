using System.Net;
using ImapDirector.Operations.Https;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Api;

/// <summary>What a request of <c>/api/v1</c> passes before anything of it is looked at: whether it comes from this machine or with TLS, and shows the token or
/// came with an operator's certificate. Only then may it have a body.</summary>
/// <param name="token">The token; <c>null</c> where there is none.</param>
/// <param name="operators">Whose certificate is as good. Where there is nobody, and no token either, there is no API.</param>
/// <param name="logger">Where refusals are told.</param>
internal sealed partial class ApiGate(ApiToken? token, IReadOnlyList<string> operators, ILogger<ApiGate> logger)
{
    /// <summary>Where the API is.</summary>
    public const string Prefix = "/api/v1";

    /// <summary>The longest body of a request, in bytes, that names no other limit.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    private const string Bearer = "Bearer ";
    private const int MaxWaiting = 16;

    /// <summary>What a wrong token waits for its answer. The right one never waits, so that nobody is locked out.</summary>
    private static readonly TimeSpan FailureDelay = TimeSpan.FromSeconds(1);

    private readonly LogBudget _refused = new(TimeProvider.System);
    private int _waiting;

    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        var caller = HttpsCaller.Of(context);
        if (token is null && operators.Count == 0) await ApiAnswer.WriteAsync(context, NotFound);
        // The token is never sent in the clear over a network.
        else if (caller is null && !IsOfThisMachine(context.Connection))
            await ApiAnswer.WriteAsync(context, ApiProblem.Of(403, "not_allowed", "Without TLS the API answers to this machine only: come by HTTPS, through SSH, or through a proxy with TLS on this machine."));
        else if (token is not null && TokenOf(context) is { } shown && token.Matches(shown)) await AdmitAsync(context, next);
        else if (caller?.IsOneOf(operators) == true)
        {
            // A browser shows its certificate for whatever page asks it to send something.
            if (IsOfAPage(context.Request)) await ApiAnswer.WriteAsync(context, ApiProblem.Of(403, "not_allowed", "A certificate gives no orders out of a web page."));
            else await AdmitAsync(context, next);
        }
        else await RefuseAsync(context);
    }

    private static Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        HttpsCaller.Of(context)?.Trust();
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = MaxBodyBytes;
        return next(context);
    }

    private static bool IsOfAPage(HttpRequest request) => request.Headers.Origin.Count > 0 || request.Headers["Sec-Fetch-Site"].Count > 0;

    private static bool IsOfThisMachine(ConnectionInfo connection) => connection.RemoteIpAddress is { } peer
        && (IPAddress.IsLoopback(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer) || peer.Equals(connection.LocalIpAddress));

    public static ApiProblem NotFound => ApiProblem.Of(404, "not_found", "There is nothing here.");

    private async Task RefuseAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > MaxWaiting)
            {
                await ApiAnswer.WriteAsync(context, ApiProblem.Of(429, "too_many", "Too many requests show a wrong token."));
                return;
            }
            if (_refused.TryTake(out var leftOut)) Log.Refused(logger, context.Connection.RemoteIpAddress, leftOut);
            await Task.Delay(FailureDelay, context.RequestAborted);
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await ApiAnswer.WriteAsync(context, ApiProblem.Of(401, "unauthorized", operators.Count == 0
                ? "Show the token of the director's ApiTokenFile, as \"Authorization: Bearer …\"."
                : "Show the token of the director's ApiTokenFile, as \"Authorization: Bearer …\", or come by HTTPS with the certificate of one of its Operators."));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever it was did not wait.
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private static string? TokenOf(HttpContext context) => context.Request.Headers.Authorization is [{ } header] && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
        && header.Length - Bearer.Length <= ApiToken.MaxLength ? header[Bearer.Length..] : null;

    private static partial class Log
    {
        [LoggerMessage(4302, LogLevel.Warning, "A request of the API from {Peer} showed no token, or a wrong one, and no operator's certificate ({LeftOut} more such lines before were left out)")]
        public static partial void Refused(ILogger logger, IPAddress? peer, long leftOut);
    }
}
