using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Https;

/// <summary>Listens for HTTPS, and keeps with each connection whose certificate was shown on it.</summary>
/// <param name="options">Where, with what and for whom.</param>
/// <param name="connectionLife">How old a connection becomes: with the next answer it is closed then.</param>
/// <param name="logger">Where certificates are told of that do not count.</param>
internal sealed partial class HttpsListener(HttpsOptions options, TimeSpan connectionLife, ILogger<HttpsListener> logger)
{
    /// <summary>What a handshake may take.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    private ListenOptions? _listener;

    /// <summary>Where it listens, once it does.</summary>
    public IPEndPoint? EndPoint => _listener?.IPEndPoint;

    /// <summary>Adds it to the server's.</summary>
    public void AddTo(KestrelServerOptions kestrel) => kestrel.Listen(options.EndPoint, listen =>
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = HandshakeTimeout, OnConnection = context => ValueTask.FromResult(Begin(context)) });
        _listener = listen;
    });

    /// <summary>Who was trusted when the connection began may be no longer. What is under way is answered.</summary>
    public Task EndOldAsync(HttpContext context, RequestDelegate next)
    {
        if (HttpsCaller.Of(context)?.Age >= connectionLife) context.Response.Headers.Connection = "close";
        return next(context);
    }

    private SslServerAuthenticationOptions Begin(TlsHandshakeCallbackContext context)
    {
        var caller = new HttpsCaller(Environment.TickCount64);
        caller.StayWith(context.Connection.Items);
        var peer = context.Connection.RemoteEndPoint;
        return options.Certificate.NewOptions(SslApplicationProtocol.Http11, identity =>
        {
            caller.Identity = identity;
            if (identity.Fault is { } fault) Log.Faulty(logger, peer, fault);
        });
    }

    private static partial class Log
    {
        [LoggerMessage(4305, LogLevel.Warning, "A certificate that {Peer} shows over HTTPS does not count, or names nobody: {Fault}")]
        public static partial void Faulty(ILogger logger, EndPoint? peer, string fault);
    }
}
