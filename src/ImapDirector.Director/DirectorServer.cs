using System.Net;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Authentication.Tokens;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Delivery;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Login;
using ImapDirector.Director.Moves;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Throttling;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Network.Polling;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Director;

/// <summary>The director role: its listeners, its Redis connection and its sessions, from start to drain.</summary>
public sealed partial class DirectorServer : IAsyncDisposable
{
    private volatile DirectorOptions _options;
    private readonly ILogger _logger;
    private readonly ILoggerFactory _loggers;
    private readonly RedisConnection _redis;
    private readonly NodeRegistry _registry;
    private readonly PoolFailover _failover;
    private readonly UserDirectory _directory;
    private readonly ClusterWatch _cluster;
    private readonly NodeHealth _health;
    private readonly LiveSessions _sessions = new();
    private readonly SessionReports _reports;
    private readonly DatabaseChain _accounts;
    private readonly TokenLogin? _tokens;
    private readonly MasterLogin _masters;
    private readonly LoginPolicy? _policy;
    private readonly Counter _refused;
    private readonly RelayWatch _watch;
    private readonly RelayLoops _loops;
    private readonly QuietMemory _memory = new();
    private readonly NodeReachability _nodes;
    private readonly NodeAdmission _admission;
    private volatile LoginServices _services;
    private readonly NodeControl _control;
    private readonly MoveRunner _moves;
    private readonly DeliveryHandler _deliveries;
    private volatile LmtpServerOptions _lmtpOptions;
    private readonly UserInquiry _inquiry;
    private ConnectionLimits? _clients;
    private ConnectionLimits? _submitters;
    private Listener? _imap;
    private Listener? _imaps;
    private Listener? _lmtp;
    private volatile bool _isStarted;
    private volatile bool _isDraining;
    private bool _isDisposed;

    /// <summary>Composes the role; nothing is opened yet.</summary>
    /// <param name="options">Settings that <see cref="DirectorOptions.Validate"/> finds no fault with.</param>
    /// <param name="certificate">What TLS clients are shown; the caller disposes it.</param>
    /// <param name="metrics">Where the director's metrics are made.</param>
    /// <param name="loggers">Where the director's loggers are made.</param>
    /// <exception cref="InvalidDataException">The key for assertions cannot be used.</exception>
    public DirectorServer(DirectorOptions options, ServerCertificate certificate, IMetricFactory metrics, ILoggerFactory loggers)
    {
        var counters = new DirectorMetrics(metrics);
        _refused = counters.RefusedConnections;
        _options = options;
        _logger = loggers.CreateLogger<DirectorServer>();
        _loggers = loggers;
        _redis = new RedisConnection(options, counters, loggers.CreateLogger<RedisConnection>());
        _registry = new NodeRegistry(options, _redis, loggers.CreateLogger<NodeRegistry>());
        var tls = BackendTlsOptions.Load(options);
        var capabilities = new NodeCapabilities();
        var assertions = AssertionIssuer.Create(options, loggers);
        _health = new NodeHealth(options, tls, capabilities, counters, loggers.CreateLogger<NodeHealth>(), assertions);
        _registry.Changed += nodes => _health.Follow(nodes.Reachable);
        _registry.Changed += nodes => capabilities.Follow(nodes.Reachable);
        _admission = new NodeAdmission(options, counters);
        _registry.Changed += nodes => _admission.Follow(nodes.Reachable);
        var ledger = new MoveLedger(_redis);
        _failover = new PoolFailover(options, _registry, _health, ledger, loggers.CreateLogger<PoolFailover>());
        _directory = new UserDirectory(options, _redis, _registry, _health, counters, loggers) { Failover = _failover };
        _reports = new SessionReports(_redis, _sessions, () => _options, () => _directory.Incarnation);
        _cluster = new ClusterWatch(_redis, _registry, _sessions, loggers.CreateLogger<ClusterWatch>());
        _watch = new RelayWatch(options.RelayIdleTimeout, options.RelayLastPatience);
        _loops = new RelayLoops(options.RelayThreads, loggers.CreateLogger<RelayLoops>());
        _nodes = new NodeReachability(() => _registry.Current.Reachable, TimeProvider.System);
        var hasher = new PasswordHasher(options.Authentication);
        var backends = new BackendConnector(options, () => _registry.Current.Serving, tls, assertions, _health, _admission, capabilities, counters, loggers.CreateLogger<BackendConnector>());
        _accounts = DatabaseChain.Create(options, _redis, () => _registry.Current.Reachable, new NodePasswordDatabase(_directory, backends), loggers);
        var authenticator = new Authenticator(options, _accounts, hasher, loggers);
        _tokens = options.Authentication.OffersTokens ? new TokenLogin(options, options.Authentication.Tokens, _accounts, loggers) : null;
        var secret = new ClusterSecret(_redis);
        var verifiers = new ScramVerifiers(options, _accounts, hasher, secret);
        _masters = new MasterLogin(options, _accounts, _directory.IsAssignedAsync, hasher, verifiers, loggers);
        var proofs = new LoginProofs(verifiers, _tokens, new CertificateLogin(_accounts, options.DefaultDomain), _masters);
        _policy = options.Throttle.PolicyUrl is null ? null : new LoginPolicy(options.Throttle, secret, loggers.CreateLogger<LoginPolicy>());
        var throttle = new LoginThrottle(options, _redis, secret, TimeProvider.System);
        _services = new LoginServices(options, new ServerHandshake(certificate, options.HandshakeTimeout), authenticator, proofs, throttle, new CheckTurns(), _policy, _directory, backends, capabilities, _watch, _sessions, _reports, new NodeLosses(options.NodeLossSpread, TimeProvider.System),
            counters, loggers.CreateLogger<ClientSession>());
        _deliveries = new DeliveryHandler(options, _accounts, _directory, assertions, _health, counters, loggers.CreateLogger<DeliveryHandler>());
        NodeOrders = new NodeOrders(_redis, _registry);
        Sessions = new ClusterOrders(_redis);
        Map = new AssignmentMap(_redis, _registry);
        Accounts = new UserAccounts(options, _redis, new RedisPasswordDatabase(_redis), hasher);
        Planner = new NodePlanner(_redis, _registry);
        _inquiry = new UserInquiry(_redis, _registry, _health, Map, Sessions, _failover);
        _control = new NodeControl(assertions);
        Rebuild = new MapRebuild(Map, _registry, _control);
        var coordinator = new MoveCoordinator(options, ledger, new MoveSessions(_redis, () => _directory.Incarnation), _registry, _health, _control, counters, loggers.CreateLogger<MoveCoordinator>());
        _moves = new MoveRunner(options, _redis, ledger, coordinator, _registry, _directory, counters, loggers.CreateLogger<MoveRunner>());
        Moves = new UserMoves(_redis, _registry, ledger);
        _lmtpOptions = new LmtpServerOptions(options.Name, options.MaxMessageBytes, options.SpoolDirectory);
    }

    /// <summary>Where plain IMAP listens, once started.</summary>
    public IPEndPoint? ImapEndPoint => _imap?.LocalEndPoint;

    /// <summary>Where IMAP over TLS listens, once started.</summary>
    public IPEndPoint? ImapsEndPoint => _imaps?.LocalEndPoint;

    /// <summary>Where LMTP listens, once started.</summary>
    public IPEndPoint? LmtpEndPoint => _lmtp?.LocalEndPoint;

    /// <summary>Adds, changes and takes out nodes.</summary>
    public NodeOrders NodeOrders { get; }

    /// <summary>Shows and ends sessions.</summary>
    public ClusterOrders Sessions { get; }

    /// <summary>The user → node map.</summary>
    public AssignmentMap Map { get; }

    /// <summary>Brings the map back from the nodes.</summary>
    public MapRebuild Rebuild { get; }

    /// <summary>Orders moves of users.</summary>
    public UserMoves Moves { get; }

    /// <summary>Says who would move when nodes change.</summary>
    public NodePlanner Planner { get; }

    /// <summary>The accounts.</summary>
    public UserAccounts Accounts { get; }

    /// <summary>This director's name.</summary>
    public string Name => _options.Name;

    /// <summary>The pool that new users go to.</summary>
    public string DefaultPool => _options.DefaultPool;

    /// <summary>The canonical name of what somebody has written; <c>null</c> when no user can have it.</summary>
    public UserName? NameOf(string text) => UserName.TryCreate(text, _options.DefaultDomain, out var user) ? user : null;

    /// <summary>Why a user is where they are, and what would happen at the next login.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public Task<UserExplanation?> ExplainAsync(UserName user, CancellationToken cancellationToken) => _inquiry.ExplainAsync(user, cancellationToken);

    /// <summary>Whether a node answers, as this director sees it.</summary>
    public bool IsWell(BackendNode node) => _health.IsWell(node);

    /// <summary>The nodes of now.</summary>
    public NodeSet Nodes => _registry.Current;

    /// <summary>Told when the nodes have changed, one change after the other. Whoever listens returns at once.</summary>
    public event Action<NodeSet>? NodesChanged
    {
        add => _registry.Changed += value;
        remove => _registry.Changed -= value;
    }

    /// <summary>Connects to Redis (and goes on without when it is away: it is then not ready), takes the incarnation's lease and opens the listeners.</summary>
    /// <exception cref="IOException">An address is taken or not ours, or another director of this name runs.</exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _redis.ConnectAsync(cancellationToken);
        _health.Start();
        await _cluster.StartAsync(cancellationToken);
        await _directory.StartAsync(cancellationToken);
        _moves.Start();
        _reports.Start();
        _memory.Start();
        // Clients share their limits over both ports. MTAs are few, listed and trusted to submit: their bound is the total alone.
        _clients = new ConnectionLimits(_options.MaxConnections, _options.MaxConnectionsPerAddress,
            address => AddressList.Contains(_options.ProxyNetworks, address) || AddressList.Contains(_options.DirectorNetworks, address));
        _submitters = new ConnectionLimits(_options.MaxConnections, _options.MaxConnections);
        _imap = Open("imap", _options.Imap, _clients, (connection, drain) => new ClientSession(connection, isImplicitTls: false, _services, drain).RunAsync(), LoginDialogue.MaxPipelinedBytes, _loops.All);
        _imaps = Open("imaps", _options.Imaps, _clients, (connection, drain) => new ClientSession(connection, isImplicitTls: true, _services, drain).RunAsync(), LoginDialogue.MaxPipelinedBytes, _loops.All);
        _lmtp = Open("lmtp", _options.Lmtp, _submitters, ServeLmtpAsync);
        _isStarted = true;
    }

    /// <summary>Goes on with other nodes, limits and times; sessions that are there stay as they are. What <see cref="DirectorReload"/> does not name stays as it was at the start.
    /// Called by one thread at a time.</summary>
    /// <param name="read">Settings that <see cref="DirectorOptions.Validate"/> finds no fault with.</param>
    /// <returns>Why everything stays as it was, a sentence for each reason; empty when it does not.</returns>
    public IReadOnlyList<string> Reload(DirectorOptions read)
    {
        var options = DirectorReload.Apply(_options, read);
        if (DirectorOptionsRules.CheckReloaded(options) is { Count: > 0 } errors) return errors;
        _options = options;
        _clients?.Change(options.MaxConnections, options.MaxConnectionsPerAddress);
        _submitters?.Change(options.MaxConnections, options.MaxConnections);
        _services = _services with { Options = options };
        _services.Authenticator.Reload(options);
        _services.Backends.Reload(options);
        _masters.Reload(options);
        _admission.Reload(options);
        _failover.Reload(options);
        _directory.Reload(options);
        _health.Reload(options);
        _deliveries.Reload(options);
        _lmtpOptions = _lmtpOptions with { MaxMessageBytes = options.MaxMessageBytes };
        // Last: whoever hears of its nodes has the new limits by then.
        _registry.Reload(options);
        return [];
    }

    /// <summary>Why it is not ready (Redis away, its name another director's, no node reachable, draining), or <c>null</c> when it is. Never takes longer than a second.</summary>
    public async ValueTask<string?> NotReadyReasonAsync(CancellationToken cancellationToken)
    {
        if (!_isStarted) return "not started";
        if (_isDraining) return "draining";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            // Both are asked at once, so that the slower one alone decides how long it takes.
            var redis = _redis.IsAvailableAsync(limit.Token);
            var node = await _nodes.IsAnyReachableAsync().WaitAsync(limit.Token);
            if (!await redis) return "Redis is away";
            if (_directory.IsNameTaken) return "another director has this name";
            return node ? null : "no node is reachable";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "Redis does not answer in time";
        }
    }

    /// <summary>Refuses new logins, says <c>* BYE</c> to every session where it can, a few at a time (<see cref="DirectorOptions.DrainSpread"/>), lets deliveries finish, releases
    /// all session records.</summary>
    /// <param name="timeout">What is there after this time is cut; the last session is told to go no later than three quarters of it.</param>
    public async Task DrainAsync(TimeSpan timeout)
    {
        if (!_isDraining) Log.Draining(_logger, _watch.Count, timeout.TotalSeconds);
        _isDraining = true;
        var served = Task.WhenAll(Listeners.Select(listener => listener.DrainAsync(timeout)));
        var most = timeout * 0.75;
        await DrainWaves.RunAsync(_sessions, _options.DrainSpread < most ? _options.DrainSpread : most, served);
        _watch.KickAll();
        await served;
        await _moves.DisposeAsync();
        await _reports.DisposeAsync();
        // Only now: a session's own release goes before the release of all.
        await _directory.DisposeAsync();
    }

    /// <summary>Drains with no patience.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await DrainAsync(TimeSpan.Zero);
        foreach (var listener in Listeners) await listener.DisposeAsync();
        await _cluster.DisposeAsync();
        _control.Dispose();
        await _health.DisposeAsync();
        await _watch.DisposeAsync();
        _loops.Dispose();
        await _memory.DisposeAsync();
        _tokens?.Dispose();
        _masters.Dispose();
        _policy?.Dispose();
        await _accounts.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private IEnumerable<Listener> Listeners => new[] { _imap, _imaps, _lmtp }.OfType<Listener>();

    private Listener? Open(string name, IPEndPoint? endPoint, ConnectionLimits limits, Func<Connection, CancellationToken, Task> handler,
        int readAhead = Connection.DefaultReadAhead, IReadOnlyList<PollLoop>? loops = null)
    {
        if (endPoint is null) return null;
        var refused = _refused.WithLabels(name);
        var listener = new Listener(name, endPoint, limits, handler, _loggers.CreateLogger<Listener>(), _options.ReusePort, readAhead, _options.AcceptBacklog, () => refused.Inc(), loops);
        listener.Start();
        Log.Listening(_logger, name, listener.LocalEndPoint);
        return listener;
    }

    private Task ServeLmtpAsync(Connection connection, CancellationToken drain)
    {
        var peer = connection.RemoteEndPoint.Address;
        if (!AddressList.IsTrusted(_options.LmtpNetworks, peer))
        {
            Log.LmtpRefused(_logger, connection.Id, connection.RemoteEndPoint);
            return Task.CompletedTask;
        }
        return new LmtpServerSession(connection, _deliveries, _lmtpOptions, _loggers.CreateLogger<LmtpServerSession>()).RunAsync(drain);
    }

    private static partial class Log
    {
        [LoggerMessage(3501, LogLevel.Information, "{Listener} listens on {EndPoint}")]
        public static partial void Listening(ILogger logger, string listener, IPEndPoint endPoint);

        [LoggerMessage(3502, LogLevel.Information, "Draining: {Sessions} sessions have {Seconds:F0} s")]
        public static partial void Draining(ILogger logger, int sessions, double seconds);

        [LoggerMessage(3503, LogLevel.Warning, "{ConnectionId} LMTP refused: {Peer} is not in LmtpNetworks")]
        public static partial void LmtpRefused(ILogger logger, string connectionId, IPEndPoint peer);
    }
}
