using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Api;

/// <summary>What a request of <c>/api/v1</c> passes before anything of it is looked at: whether it comes from this machine and shows the token.
/// Only then may it have a body.</summary>
/// <param name="token">The token; <c>null</c> where there is no API.</param>
/// <param name="logger">Where refusals are told.</param>
internal sealed partial class ApiGate(ApiToken? token, ILogger<ApiGate> logger)
{
    /// <summary>Where the API is.</summary>
    public const string Prefix = "/api/v1";

    /// <summary>The longest body of a request, in bytes, that names no other limit.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    private const string Bearer = "Bearer ";
    private const int MaxWaiting = 16;

    /// <summary>What a wrong token waits for its answer. The right one never waits, so that nobody is locked out.</summary>
    private static readonly TimeSpan FailureDelay = TimeSpan.FromSeconds(1);

    private int _waiting;

    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        if (token is null) await ApiAnswer.WriteAsync(context, NotFound);
        // The token is never sent in the clear over a network.
        else if (!IsOfThisMachine(context.Connection))
            await ApiAnswer.WriteAsync(context, ApiProblem.Of(403, "not_allowed", "The API answers to this machine only: come through SSH, or through a proxy with TLS on this machine."));
        else if (TokenOf(context) is { } shown && token.Matches(shown))
        {
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = MaxBodyBytes;
            await next(context);
        }
        else await RefuseAsync(context);
    }

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
            Log.Refused(logger, context.Connection.RemoteIpAddress);
            await Task.Delay(FailureDelay, context.RequestAborted);
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await ApiAnswer.WriteAsync(context, ApiProblem.Of(401, "unauthorized", "Show the token of the director's ApiTokenFile, as \"Authorization: Bearer …\"."));
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
        [LoggerMessage(4302, LogLevel.Warning, "A request of the API from {Peer} showed no token, or a wrong one")]
        public static partial void Refused(ILogger logger, IPAddress? peer);
    }
}
