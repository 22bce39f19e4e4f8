using System.Net;
using System.Text;
using System.Text.Json;
using ImapDirector.Director;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Api;
using ImapDirector.Operations.Https;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.Operations.Tests.Api;

/// <summary>A director with two nodes that are not there, its Redis, and its API.</summary>
internal sealed class RunningApi : IAsyncDisposable
{
    public const string Token = "0123456789abcdef0123456789abcdef";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("api-");
    private readonly ServerCertificate _certificate;
    private readonly RedisServer _redis;
    private readonly ConnectionMultiplexer _probe;

    private RunningApi(RedisServer redis, ConnectionMultiplexer probe)
    {
        (_redis, _probe) = (redis, probe);
        _certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"]);
        File.WriteAllText(TokenFile, Token + "\n");
        Director = new DirectorServer(new DirectorOptions
        {
            Name = "director1",
            Imap = new IPEndPoint(IPAddress.Loopback, 0),
            Redis = redis.ConnectionString,
            RedisTimeout = TimeSpan.FromSeconds(5),
            DefaultDomain = "example.com",
            NodeNetworks = [IPNetwork.Parse("10.0.0.0/24")],
            NodeCheckInterval = TimeSpan.Zero,
            MasterPassword = "secret",
            Nodes = [Node("node1"), Node("node2")],
        }, _certificate, Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()), NullLoggerFactory.Instance);
    }

    public DirectorServer Director { get; }

    public RunningServer Http { get; private set; } = null!;

    public string TokenFile => Path.Combine(_directory.FullName, "token");

    public RedisServer RedisProcess => _redis;

    public IDatabase Redis => _probe.GetDatabase();

    /// <summary>The lines about changes.</summary>
    public IReadOnlyList<string> Audit => [.. Http.Log.Lines.Select(static line => line.Text).Where(static line => line.Contains("has ordered", StringComparison.Ordinal))];

    public static async Task<RunningApi> StartAsync(bool withToken = true, IReadOnlyDictionary<string, Uri>? pages = null, HttpsOptions? https = null)
    {
        var redis = await RedisServer.StartAsync();
        var api = new RunningApi(redis, await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString));
        await api.Director.StartAsync(CancellationToken.None);
        api.Http = await RunningServer.StartAsync(api.Director, withToken ? ApiToken.Load(api.TokenFile) : null, pages, https);
        return api;
    }

    public Task<Answer> SendAsync(string method, string path, string? body = null, string token = Token, string mediaType = "application/json", string? by = null)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1" + path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, mediaType);
        return by is null ? Http.SendAsync(request, ("Authorization", $"Bearer {token}")) : Http.SendAsync(request, ("Authorization", $"Bearer {token}"), ("X-Operator", by));
    }

    /// <summary>What is answered, as JSON, with the status that is expected.</summary>
    public async Task<JsonElement> AskAsync(int status, string method, string path, string? body = null)
    {
        var answer = await SendAsync(method, path, body);
        Assert.True(status == answer.Status, $"{answer.Status} {answer.Body}");
        return JsonDocument.Parse(answer.Body).RootElement;
    }

    /// <summary>Orders something that answers nothing.</summary>
    public async Task AskNothingAsync(string method, string path, string? body = null)
    {
        var answer = await SendAsync(method, path, body);
        Assert.True(answer is { Status: 204, Body: "" }, $"{answer.Status} {answer.Body}");
    }

    /// <summary>The code and the detail of a refusal.</summary>
    public async Task<(int Status, string Code, string Detail)> RefusalAsync(string method, string path, string? body = null)
    {
        var answer = await SendAsync(method, path, body);
        Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
        var problem = JsonDocument.Parse(answer.Body).RootElement;
        Assert.Equal(answer.Status, problem.GetProperty("status").GetInt32());
        return (answer.Status, problem.GetProperty("code").GetString()!, problem.GetProperty("detail").GetString()!);
    }

    /// <summary>The keys of accounts, whatever their names.</summary>
    public async Task<IReadOnlyList<string>> AccountKeysAsync()
    {
        var keys = new List<string>();
        await foreach (var key in _probe.GetServers()[0].KeysAsync(pattern: "*:account")) keys.Add(key.ToString());
        return keys;
    }

    /// <summary>Makes it look as if a session ran at this director.</summary>
    public async Task AddSessionAsync(string user, string id, string address)
    {
        var lease = Assert.Single(await Redis.SortedSetRangeByRankAsync("imapdirector:{incarnations}:leases")).ToString();
        await Redis.HashSetAsync($"imapdirector:{{{user}}}:sessions", id, $"{lease} {address} 1000");
    }

    public async ValueTask DisposeAsync()
    {
        await Http.DisposeAsync();
        await Director.DisposeAsync();
        _certificate.Dispose();
        await _probe.DisposeAsync();
        await _redis.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static BackendNode Node(string name) => new() { Name = name, Host = "127.0.0.1", ImapPort = 1, MasterPassword = "secret" };
}
