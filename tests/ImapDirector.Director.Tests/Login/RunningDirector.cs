using System.Net;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;
using Prometheus;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>A whole director on loopback, in front of nodes of the test's, with the accounts of alice and bob in its Redis.</summary>
internal sealed class RunningDirector : IAsyncDisposable
{
    public const string Password = "secret";
    public const string AliceSessions = "imapdirector:{alice@example.com}:sessions";

    // Hashed once for all tests.
    private static readonly Lazy<Task<string>> PasswordHash = new(HashAsync);

    private readonly ServerCertificate _certificate;
    private readonly TestRedis? _ownRedis;
    private readonly LinesLogged _log = new();
    private readonly LoggerFactory _loggers;

    private RunningDirector(TestRedis redis, bool ownsRedis, DirectorOptions options)
    {
        Redis = redis;
        _ownRedis = ownsRedis ? redis : null;
        Options = options;
        _certificate = TestCertificate.Create(clients: options.ClientCertificates);
        _loggers = new LoggerFactory([_log]);
        Server = new DirectorServer(options, _certificate, Metrics.WithCustomRegistry(Registry), _loggers);
    }

    public TestRedis Redis { get; }

    /// <summary>The digest of the certificate that clients see.</summary>
    public byte[] CertificateDigest => Convert.FromHexString(_certificate.Fingerprint);

    /// <summary>That certificate.</summary>
    public string CertificatePem => _certificate.ServerOptions.ServerCertificateContext!.TargetCertificate.ExportCertificatePem();

    public DirectorOptions Options { get; }

    public DirectorServer Server { get; }

    public CollectorRegistry Registry { get; } = Metrics.NewCustomRegistry();

    /// <summary>What is shown of its metrics now.</summary>
    public async Task<string> MetricsTextAsync()
    {
        using var text = new MemoryStream();
        await Registry.CollectAndExportAsTextAsync(text);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>Every line logged so far.</summary>
    public IReadOnlyCollection<string> Lines => _log.Lines;

    /// <summary>Those of them that operators are called for.</summary>
    public IReadOnlyCollection<string> Errors => _log.Errors;

    public static async Task<RunningDirector> StartAsync(BackendNode node, Func<DirectorOptions, DirectorOptions>? with = null, TestRedis? redis = null)
    {
        var server = redis ?? await TestRedis.StartAsync(RedisKind.Redis);
        var options = new DirectorOptions
        {
            Name = "director1",
            Imap = new IPEndPoint(IPAddress.Loopback, 0),
            Imaps = new IPEndPoint(IPAddress.Loopback, 0),
            Redis = server.ConnectionString,
            RedisTimeout = TimeSpan.FromSeconds(30),
            BackendConnectTimeout = TimeSpan.FromSeconds(30),
            DefaultDomain = "example.com",
            FailureDelay = TimeSpan.Zero,
            RelayLastPatience = TimeSpan.FromSeconds(10),
            // Nodes of tests count who comes.
            NodeCheckInterval = TimeSpan.Zero,
            Nodes = [node],
        };
        var director = new RunningDirector(server, redis is null, with?.Invoke(options) ?? options);
        Assert.Empty(director.Options.Validate());
        if (redis is null)
        {
            foreach (var name in (string[])["alice", "bob"])
                await server.Database.HashSetAsync($"imapdirector:{{{name}@example.com}}:account", [new("password", await PasswordHash.Value), new("created", 1)]);
        }
        await director.Server.StartAsync(CancellationToken.None);
        return director;
    }

    public async Task AddUserAsync(string name, string password)
    {
        Assert.Equal(AccountOutcome.Done, await Server.Accounts.AddAsync(name, System.Text.Encoding.Latin1.GetBytes(password), CancellationToken.None));
    }

    private static async Task<string> HashAsync()
    {
        var hasher = new PasswordHasher();
        return (await hasher.HashAsync(System.Text.Encoding.ASCII.GetBytes(Password), CancellationToken.None))!.ToText();
    }

    /// <summary>A client with TLS, and maybe a certificate, that has read the greeting.</summary>
    public async Task<ImapConversation> SecureAsync(X509Certificate2? certificate = null)
    {
        var client = await ImapConversation.ConnectAsync(Server.ImapsEndPoint!);
        await (certificate is null ? client.SecureAsync() : client.SecureAsync(certificate));
        Assert.StartsWith("* OK ", await client.ReadLineAsync());
        return client;
    }

    /// <summary>A client that has read the greeting.</summary>
    public Task<ImapConversation> ConnectAsync() => ImapConversation.GreetedAsync(Server.ImapEndPoint!);

    /// <summary>A client that has logged in.</summary>
    public async Task<ImapConversation> LogInAsync(string user = "alice")
    {
        var client = await ConnectAsync();
        Assert.StartsWith("a OK ", await client.AskAsync($"a LOGIN {user} {Password}"));
        return client;
    }

    /// <summary>The codes of the sessions that have ended, once there are as many as told.</summary>
    public async Task<IReadOnlyList<string>> EndCodesAsync(int count = 1)
    {
        string[] codes = [];
        await TestDirector.UntilAsync(() =>
        {
            codes = [.. Lines.Where(line => line.StartsWith("3401 ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];
            return Task.FromResult(codes.Length >= count);
        });
        return codes;
    }

    /// <summary>The records of alice's sessions.</summary>
    public async Task<IReadOnlyList<string>> SessionsAsync() =>
        [.. (await Redis.Database.HashGetAllAsync(AliceSessions)).Select(entry => entry.Value.ToString())];

    /// <summary>Waits until alice has none: they are taken out behind the end of a session.</summary>
    public Task UntilNoSessionIsOnRecordAsync() => TestDirector.UntilAsync(async () => (await SessionsAsync()).Count == 0);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _certificate.Dispose();
        _loggers.Dispose();
        if (_ownRedis is not null) await _ownRedis.DisposeAsync();
    }
}
