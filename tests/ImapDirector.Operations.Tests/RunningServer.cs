using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Director;
using ImapDirector.Operations.Api;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Https;
using ImapDirector.Storage;
using Microsoft.Extensions.Logging;
using Prometheus;
using Xunit;

namespace ImapDirector.Operations.Tests;

/// <summary>A server on a free loopback port, a client that trusts nothing but what arrives, and the lines it logged.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly OperationsServer _server;
    private readonly HttpClient _client;

    private RunningServer(OperationsServer server, CollectorRegistry registry, LogLines log)
    {
        _server = server;
        Registry = registry;
        Log = log;
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.Zero, Expect100ContinueTimeout = TimeSpan.FromSeconds(20) })
        {
            BaseAddress = Address,
            Timeout = TimeSpan.FromSeconds(20),
        };
    }

    public CollectorRegistry Registry { get; }

    public LogLines Log { get; }

    public Uri Address => new($"http://{_server.EndPoint}");

    public IPEndPoint HttpsEndPoint => _server.HttpsEndPoint ?? throw new InvalidOperationException("There is no HTTPS here.");

    public static async Task<RunningServer> StartAsync(IReadOnlyList<NamedCheck>? checks = null, IReadOnlyDictionary<string, Uri>? nodes = null, StorageNode? node = null, TimeSpan probeInterval = default, HttpsOptions? https = null, TimeSpan? httpsConnectionLife = null)
    {
        var options = new OperationsOptions
        {
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            Checks = checks ?? [],
            Nodes = nodes ?? new Dictionary<string, Uri>(),
            Node = node,
            NodeProbeInterval = probeInterval,
            Https = https,
            HttpsConnectionLife = httpsConnectionLife ?? TimeSpan.FromMinutes(5),
        };
        Assert.Empty(options.Validate());
        var registry = Prometheus.Metrics.NewCustomRegistry();
        var log = new LogLines();
        var server = new OperationsServer(options, registry, log);
        await server.StartAsync(CancellationToken.None);
        return new RunningServer(server, registry, log);
    }

    /// <summary>That of a director.</summary>
    public static async Task<RunningServer> StartAsync(DirectorServer director, ApiToken? token, IReadOnlyDictionary<string, Uri>? nodes = null, HttpsOptions? https = null)
    {
        var registry = Prometheus.Metrics.NewCustomRegistry();
        var log = new LogLines();
        var server = new OperationsServer(new OperationsOptions { Http = new IPEndPoint(IPAddress.Loopback, 0), Director = director, ApiToken = token, Nodes = nodes ?? new Dictionary<string, Uri>(), NodeProbeInterval = TimeSpan.FromMilliseconds(200), Https = https }, registry, log);
        await server.StartAsync(CancellationToken.None);
        return new RunningServer(server, registry, log);
    }

    public static NamedCheck Check(string name, string? reason) => new(name, _ => ValueTask.FromResult(reason));

    public void UpdateNodes(IReadOnlyDictionary<string, Uri> nodes) => _server.UpdateNodes(nodes);

    public Task StopAsync() => _server.StopAsync();

    /// <summary>The whole answer, with its body as text.</summary>
    public async Task<Answer> SendAsync(string path, string method = "GET", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        return await SendAsync(request, headers);
    }

    /// <summary>As above, with a body.</summary>
    public async Task<Answer> SendAsync(HttpRequestMessage request, params (string Name, string Value)[] headers)
    {
        foreach (var (name, value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        // A server that refuses a body closes the connection: what is still on its way then would cost the answer.
        if (request.Content is not null) request.Headers.ExpectContinue = true;
        using var response = await _client.SendAsync(request);
        var all = response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), all);
    }

    /// <summary>Exactly these bytes, so that no client library tidies them up; everything that comes back.</summary>
    public async Task<string> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_server.EndPoint);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        using var answer = new MemoryStream();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await client.GetStream().CopyToAsync(answer, timeout.Token);
        return Encoding.Latin1.GetString(answer.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }
}

internal sealed record Answer(int Status, string Body, IReadOnlyDictionary<string, string> Headers);

/// <summary>Keeps every line, with its level, category and exception.</summary>
internal sealed class LogLines : ILoggerFactory
{
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Category(LogLines log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (log._lines) log._lines.Add((logLevel, $"{name}: {formatter(state, exception)} {exception}"));
        }
    }
}
