using System.Net;
using System.Net.Sockets;
using ImapDirector.Director;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Login;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Throttling;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Fuzz.Login;

/// <summary>All that a client's session works with: dialogue, throttle, databases, map, connector and relay are the real ones, behind them is a
/// <see cref="ListeningNode"/>. Redis is the one that <c>FUZZ_REDIS</c> names, or one of its own.</summary>
internal sealed class DirectorUnderFuzz : IAsyncDisposable
{
    // Three failures each at most: before a user has so many that the throttle spaces them, which would make answers depend on the time.
    private const int RunsOfThrottle = 20_000;
    private static readonly IPAddress Loopback = IPAddress.Loopback;

    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("fuzz-").FullName;
    private readonly OneThread _thread = new();
    private readonly TcpListener _listener = new(Loopback, 0);
    private readonly RedisServer? _ownRedis;
    private readonly RedisConnection _redis;
    private readonly UserDirectory _userDirectory;
    private readonly NodeHealth _health;
    private readonly DatabaseChain _chain;
    private readonly MasterLogin _masters;
    private readonly RelayWatch _watch;
    private readonly RelayLoops _loops;
    private readonly SessionReports _reports;
    private readonly ClusterSecret _secret;
    private readonly ServerCertificate _certificate;
    private readonly ServerCertificate _managedCertificate;
    private readonly LoginServices _services;
    private readonly DirectorOptions _options;
    private LoginThrottle _throttle;
    private int _runs;

    private DirectorUnderFuzz(RedisServer? ownRedis, string redis)
    {
        _ownRedis = ownRedis;
        _listener.Start();
        var accounts = Path.Combine(_directory, "passwd");
        File.WriteAllText(accounts, $"alice:{{PLAIN}}{Secrets.OfUser}\nbob:{{PLAIN}}{Secrets.OfUser}::::::nologin\n");
        var masters = Path.Combine(_directory, "masters");
        File.WriteAllText(masters, $"chief:{{PLAIN}}{Secrets.OfChief}\n");
        _options = new DirectorOptions
        {
            Name = $"fuzz-{Guid.NewGuid():N}",
            Redis = redis,
            RedisTimeout = TimeSpan.FromSeconds(30),
            DefaultDomain = "example.com",
            AllowPlainTextLogin = true,
            FailureDelay = TimeSpan.Zero,
            BackendConnectTimeout = TimeSpan.FromSeconds(30),
            HandshakeTimeout = TimeSpan.FromSeconds(30),
            NodeCheckInterval = TimeSpan.Zero,
            NodeLossSpread = TimeSpan.Zero,
            RelayThreads = 1,
            ProxyNetworks = [IPNetwork.Parse("198.18.0.0/16")],
            DirectorNetworks = [IPNetwork.Parse("198.19.0.0/16")],
            Authentication = new AuthenticationOptions
            {
                Databases = [new PasswdFileOptions { File = accounts }],
                Mechanisms = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
                Masters = new MasterOptions { File = masters, Networks = [IPNetwork.Parse("10.0.0.0/8")], Separator = '*' },
                AllowPlainHashes = true,
                UpgradeHashes = false,
                // What a hash costs is another test's business.
                Argon2MemoryKiB = 8,
                Argon2Iterations = 1,
                Argon2Lanes = 1,
                ScramIterations = 1,
            },
            Throttle = new ThrottleOptions { Shared = false, AddressFailures = 100_000, UserFailures = 100_000 },
            Nodes = [Node.Backend],
        };
        var metrics = new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
        _redis = new RedisConnection(_options, metrics, Log.CreateLogger<RedisConnection>());
        var registry = new NodeRegistry(_options, _redis, Log.CreateLogger<NodeRegistry>());
        var tls = new BackendTlsOptions(null);
        var capabilities = new NodeCapabilities();
        // As behind the first login: what is offered is the same to all inputs.
        capabilities.Note(Node.Backend.Name, ListeningNode.Capabilities, isAfterLogin: true);
        _health = new NodeHealth(_options, tls, capabilities, metrics, Log.CreateLogger<NodeHealth>());
        _userDirectory = new UserDirectory(_options, _redis, registry, _health, metrics, Log);
        var sessions = new LiveSessions();
        _reports = new SessionReports(_redis, sessions, () => _options, () => _userDirectory.Incarnation);
        _watch = new RelayWatch(_options.RelayIdleTimeout, _options.RelayLastPatience);
        _loops = new RelayLoops(_options.RelayThreads, Log);
        var hasher = new PasswordHasher(_options.Authentication);
        var backends = new BackendConnector(_options, () => registry.Current.Serving, tls, null, _health, new NodeAdmission(_options, metrics), capabilities, metrics, Log.CreateLogger<BackendConnector>());
        _chain = DatabaseChain.Create(_options, _redis, () => registry.Current.Reachable, null, Log);
        _secret = new ClusterSecret(_redis);
        var verifiers = new ScramVerifiers(_options, _chain, hasher, _secret);
        _masters = new MasterLogin(_options, _chain, _userDirectory.IsAssignedAsync, hasher, verifiers, Log);
        var proofs = new LoginProofs(verifiers, null, new CertificateLogin(_chain, _options.DefaultDomain), _masters);
        _throttle = NewThrottle();
        _certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory, ["localhost"]);
        _managedCertificate = ServerCertificate.LoadOrCreateSelfSigned(_directory, ["localhost"], isDirect: false);
        _services = new LoginServices(_options, new ServerHandshake(_certificate, _options.HandshakeTimeout), new Authenticator(_options, _chain, hasher, Log), proofs, _throttle, new CheckTurns(), null,
            _userDirectory, backends, capabilities, _watch, sessions, _reports, new NodeLosses(_options.NodeLossSpread, TimeProvider.System), metrics, Log.CreateLogger<ClientSession>());
    }

    public KeptLog Log { get; } = new();

    public ListeningNode Node { get; } = new();

    public static async Task<DirectorUnderFuzz> StartAsync()
    {
        var given = Environment.GetEnvironmentVariable("FUZZ_REDIS");
        var own = given is null ? await RedisServer.StartAsync() : null;
        var director = new DirectorUnderFuzz(own, given ?? own!.ConnectionString);
        await director._redis.ConnectAsync(CancellationToken.None);
        await director._userDirectory.StartAsync(CancellationToken.None);
        return director;
    }

    /// <summary>A client that has connected.</summary>
    /// <param name="mode">How it is to be served.</param>
    /// <param name="address">Where it is: nobody was there before.</param>
    public FuzzedClient Connect(LoginMode mode, out IPAddress address)
    {
        if (++_runs % RunsOfThrottle == 0) _throttle = NewThrottle();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(_listener.LocalEndpoint);
        var acceptor = new Acceptor();
        var accepted = SocketDescriptor.Accept((int)_listener.Server.Handle, out var remote, out _)!;
        var server = new Connection(accepted, remote!, _loops.All[0], Connection.ReaderOptions(LoginDialogue.MaxPipelinedBytes)) { Owner = acceptor };
        address = mode.HasFlag(LoginMode.BehindProxy) ? new IPAddress([198, 18, (byte)(_runs >> 8), (byte)_runs])
            : mode.HasFlag(LoginMode.BehindDirector) ? new IPAddress([198, 19, (byte)(_runs >> 8), (byte)_runs])
            : new IPAddress([10, (byte)(_runs >> 16), (byte)(_runs >> 8), (byte)_runs]);
        server.RemoteEndPoint = new IPEndPoint(address, 40000);
        var services = _services with
        {
            Options = mode.HasFlag(LoginMode.PlainText) ? _options : _options with { AllowPlainTextLogin = false },
            Handshake = mode.HasFlag(LoginMode.ManagedTls) ? new ServerHandshake(_managedCertificate, _options.HandshakeTimeout) : _services.Handshake,
            Throttle = _throttle,
        };
        return new FuzzedClient(client, server, _thread.Run(() => acceptor.ServeAsync(server, services)));
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _reports.DisposeAsync();
        await _userDirectory.DisposeAsync();
        _masters.Dispose();
        await _chain.DisposeAsync();
        await _health.DisposeAsync();
        await _watch.DisposeAsync();
        _loops.Dispose();
        await _redis.DisposeAsync();
        if (_ownRedis is not null) await _ownRedis.DisposeAsync();
        Node.Dispose();
        _thread.Dispose();
        _certificate.Dispose();
        _managedCertificate.Dispose();
        Log.Dispose();
        System.IO.Directory.Delete(_directory, true);
    }

    private LoginThrottle NewThrottle() => new(_options, _redis, _secret, TimeProvider.System);

    /// <summary>Does what a listener does.</summary>
    private sealed class Acceptor : IConnectionOwner
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<bool> ServeAsync(Connection server, LoginServices services)
        {
            try
            {
                await new ClientSession(server, isImplicitTls: false, services, CancellationToken.None).RunAsync();
                if (server.IsKeptOpen) await _ended.Task;
                return true;
            }
            finally
            {
                await server.DisposeAsync();
            }
        }

        public Task EndAsync(Connection connection)
        {
            _ended.SetResult();
            return Task.CompletedTask;
        }
    }
}
