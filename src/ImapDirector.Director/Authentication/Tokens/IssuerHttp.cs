using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>HTTP towards the issuer: no redirect, no proxy, bounded in time and bytes.</summary>
internal static class IssuerHttp
{
    private const int MaxBytes = 256 * 1024;

    public static HttpClient Create(TokenOptions options) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = options.Timeout,
        MaxConnectionsPerServer = 16,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        // The name is the handler's to fill in: keys may be on another host than the configuration.
        SslOptions = OutgoingTls.For(host: null, options.CaFile),
    })
    {
        Timeout = options.Timeout,
        MaxResponseContentBufferSize = MaxBytes,
    };
}
