using System.Net;
using System.Net.Sockets;
using ImapDirector.Operations.Api;
using ImapDirector.Operations.Control;
using ImapDirector.Operations.Gateway;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Https;
using ImapDirector.Operations.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;
using Yarp.ReverseProxy;

namespace ImapDirector.Operations;

/// <summary>The HTTP side of a process: <c>/metrics</c>, <c>/livez</c>, <c>/readyz</c> and, on a director, <c>/nodes/{node}/…</c>, all of
/// them read only; on a director <c>/users/{user}/…</c> and <c>/api/v1</c> for whoever has the token, on a node <c>/api/v1</c> for directors' orders.</summary>
public sealed partial class OperationsServer : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    private readonly OperationsOptions _options;
    private readonly CollectorRegistry _registry;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly NodeRoutes _routes;
    private readonly ReadinessCheck[] _checks;
    private readonly ConnectionPlaces _places;
    private readonly HttpsListener? _https;
    // Never disposed: a check that hangs may outlive the server and still look at its token.
    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _app;
    private ListenOptions? _listener;
    private bool _isStarted;
    private bool _isDisposed;

    /// <summary>Composes it; nothing is opened yet.</summary>
    /// <param name="options">Settings that <see cref="OperationsOptions.Validate"/> finds no fault with.</param>
    /// <param name="registry">The metrics that are shown, and no others.</param>
    /// <param name="loggers">Where its loggers are made; of ASP.NET's lines, warnings and worse.</param>
    public OperationsServer(OperationsOptions options, CollectorRegistry registry, ILoggerFactory loggers)
    {
        _options = options;
        _registry = registry;
        _loggers = loggers;
        _logger = loggers.CreateLogger<OperationsServer>();
        _routes = new NodeRoutes(options.Nodes, options.NodeProbeInterval);
        // Most come from this machine.
        _places = new ConnectionPlaces("http", ConnectionPlaces.Most, loggers.CreateLogger<ConnectionPlaces>());
        if (options.Https is { } https) _https = new HttpsListener(https, options.HttpsConnectionLife, loggers);
        _checks = [.. options.Checks.Select(check => new ReadinessCheck(check, _logger, _stopping.Token))];
    }

    /// <summary>Where it listens, once started.</summary>
    /// <exception cref="InvalidOperationException">It has not been started.</exception>
    public IPEndPoint EndPoint => (_isStarted ? _listener?.IPEndPoint : null) ?? throw new InvalidOperationException("The HTTP server has not been started.");

    /// <summary>Where it listens for HTTPS, once started; <c>null</c> for nowhere.</summary>
    public IPEndPoint? HttpsEndPoint => _isStarted ? _https?.EndPoint : null;

    /// <summary>Opens the listeners. Once only.</summary>
    /// <exception cref="IOException">The address is taken or not ours; the message names it.</exception>
    /// <exception cref="InvalidOperationException">It was started before.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_app is not null) throw new InvalidOperationException("The HTTP server was started before.");
        _app = Compose();
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (Exception refused) when (refused is IOException or SocketException)
        {
            var cause = refused.GetBaseException() is SocketException socket ? socket.SocketErrorCode.ToString() : refused.Message;
            var which = _options.Https is { } https ? $"Http is \"{_options.Http}\" and Https:Address \"{https.EndPoint}\", and at one of them nothing can listen now" : $"Http is \"{_options.Http}\", where nothing can listen now";
            throw new IOException($"{which} ({cause}): free the port or name another one.", refused);
        }
        _isStarted = true;
        Log.Listening(_logger, "http", EndPoint);
        if (HttpsEndPoint is { } secure) Log.Listening(_logger, "https", secure);
    }

    /// <summary>From now on the gateway reaches these nodes and no others; requests under way go on.</summary>
    /// <param name="nodes">Names and HTTP addresses, held to the same bounds as <see cref="OperationsOptions.Nodes"/>.</param>
    /// <exception cref="ArgumentException">One is outside them; nothing has changed then.</exception>
    public void UpdateNodes(IReadOnlyDictionary<string, Uri> nodes)
    {
        var errors = new List<string>();
        OperationsOptionsRules.CheckNodes(nodes, errors);
        if (errors.Count > 0) throw new ArgumentException(string.Join(' ', errors), nameof(nodes));
        _routes.Update(nodes);
    }

    /// <summary>Stops listening; requests under way have two seconds.</summary>
    public async Task StopAsync()
    {
        if (_isStarted && !_isDisposed) await _app!.StopAsync();
    }

    /// <summary>Stops, and lets go of checks that still run.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        await StopAsync();
        _isDisposed = true;
        await _stopping.CancelAsync();
        try
        {
            await Task.WhenAll(_checks.Select(static check => check.LastRun)).WaitAsync(StopLimit);
        }
        catch (TimeoutException)
        {
            Log.ChecksHang(_logger, string.Join(", ", _checks.Where(static check => !check.LastRun.IsCompleted).Select(static check => check.Name)));
        }
        if (_app is { } app) await app.DisposeAsync();
    }

    private WebApplication Compose()
    {
        // Empty, not slim: nothing may come from environment variables or from an appsettings.json in the working directory.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(new ForwardingLoggerProvider(_loggers, TimeProvider.System)).SetMinimumLevel(LogLevel.Warning)
            // It would log that the start failed; whoever called is told by the exception.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Configure);
        builder.Services.AddRouting();
        // Signals belong to the process's owner, who drains the mail side first; ASP.NET's own lifetime would take them.
        builder.Services.AddSingleton<IHostLifetime, LifetimeOfTheCaller>();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopLimit);
        NodeGateway.Add(builder.Services, _routes);

        var app = builder.Build();
        if (_https is not null) app.Use(_https.EndOldAsync);
        RequestGuard.Use(app);
        var operators = _options.Https?.Operators ?? [];
        if (_options.Director is not null)
        {
            var gate = new ApiGate(_options.ApiToken, operators, _loggers.CreateLogger<ApiGate>());
            app.UseWhen(static context => context.Request.Path.StartsWithSegments("/api"), api => api.Use(gate.PassAsync));
            app.UseWhen(static context => context.Request.Path.StartsWithSegments(UserGateway.Prefix), users => users.Use(gate.PassAsync).Use(new UserGateway(_options.Director).PassAsync));
        }
        app.UseRouting();
        app.UseRequestTimeouts();
        MetricsEndpoint.Map(app, _registry);
        new HealthEndpoints(_checks).Map(app);
        NodeGateway.Map(app);
        if (_options.Director is { } director && (_options.ApiToken is not null || operators.Count > 0)) new AdminApi(director, new NodeReadiness(app.Services.GetRequiredService<IProxyStateLookup>()).Of, _loggers).Map(app);
        if (_options.Node is { } node) new NodeControl(node, _loggers.CreateLogger<NodeControl>()).Map(app);
        return app;
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestLineSize = 2 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 50;
        kestrel.Limits.MaxRequestBufferSize = 16 * 1024;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        kestrel.Listen(_options.Http, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => AdmitAsync(connection, next));
            _listener = listen;
        });
        _https?.AddTo(kestrel);
    }

    // Whoever is there stays: there are no strangers here.
    private async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        using var place = _places.TryTake(connection);
        place?.Authenticated();
        if (place is not null) await next(connection);
    }

    private sealed class LifetimeOfTheCaller : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(4101, LogLevel.Information, "{Protocol} listens on {EndPoint}")]
        public static partial void Listening(ILogger logger, string protocol, IPEndPoint endPoint);

        [LoggerMessage(4102, LogLevel.Warning, "Stopped while these readiness checks still hang: {Checks}")]
        public static partial void ChecksHang(ILogger logger, string checks);
    }
}
