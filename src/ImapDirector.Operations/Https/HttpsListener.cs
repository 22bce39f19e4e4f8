using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Https;

/// <summary>Listens for HTTPS, and keeps with each connection whose certificate was shown on it.</summary>
/// <param name="options">Where, with what and for whom.</param>
/// <param name="connectionLife">How old a connection becomes: with the next answer it is closed then.</param>
/// <param name="loggers">Where certificates are told of that do not count.</param>
internal sealed partial class HttpsListener(HttpsOptions options, TimeSpan connectionLife, ILoggerFactory loggers)
{
    /// <summary>What a handshake may take.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Connections at once from one IPv4 address or IPv6 /64, that have shown no certificate that counts.</summary>
    public const int MostOfAnAddress = 20;

    private readonly ConnectionPlaces _places = new("https", MostOfAnAddress, loggers.CreateLogger<ConnectionPlaces>());
    private readonly ILogger _logger = loggers.CreateLogger<HttpsListener>();
    private readonly LogBudget _faulty = new(TimeProvider.System);
    private ListenOptions? _listener;

    /// <summary>Where it listens, once it does.</summary>
    public IPEndPoint? EndPoint => _listener?.IPEndPoint;

    /// <summary>Adds it to the server's.</summary>
    public void AddTo(KestrelServerOptions kestrel) => kestrel.Listen(options.EndPoint, listen =>
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection => AdmitAsync(connection, next));
        listen.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = HandshakeTimeout, OnConnection = context => ValueTask.FromResult(Begin(context)) });
        listen.Use(static next => connection =>
        {
            HttpsCaller.Of(connection).EndHandshake();
            return next(connection);
        });
        _listener = listen;
    });

    /// <summary>Who was trusted when the connection began may be no longer. What is under way is answered.</summary>
    public Task EndOldAsync(HttpContext context, RequestDelegate next)
    {
        if (HttpsCaller.Of(context)?.Age >= connectionLife) context.Response.Headers.Connection = "close";
        return next(context);
    }

    private async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        using var place = _places.TryTake(connection);
        if (place is null) return;
        var caller = new HttpsCaller(Environment.TickCount64, place);
        caller.StayWith(connection.Items);
        try
        {
            await next(connection);
        }
        finally
        {
            caller.EndHandshake();
        }
    }

    private SslServerAuthenticationOptions Begin(TlsHandshakeCallbackContext context)
    {
        var caller = HttpsCaller.Of(context.Connection);
        var peer = context.Connection.RemoteEndPoint;
        var handshake = options.Certificate.NewOptions(SslApplicationProtocol.Http11, identity =>
        {
            caller.Identity = identity;
            if (identity.Fault is { } fault && _faulty.TryTake(out var leftOut)) Log.Faulty(_logger, peer, fault, leftOut);
        }, out var use);
        caller.Use = use;
        return handshake;
    }

    private static partial class Log
    {
        [LoggerMessage(4305, LogLevel.Warning, "A certificate that {Peer} shows over HTTPS does not count, or names nobody: {Fault} ({LeftOut} more such lines before were left out)")]
        public static partial void Faulty(ILogger logger, EndPoint? peer, string fault, long leftOut);
    }
}
