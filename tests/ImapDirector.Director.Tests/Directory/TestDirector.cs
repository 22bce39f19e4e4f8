using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>The part of a director that talks to Redis.</summary>
internal sealed class TestDirector : IAsyncDisposable
{
    public static readonly BackendNode[] TwoNodes = [Node("node1"), Node("node2")];


    private TestDirector(DirectorOptions options, TimeSpan lease, TimeProvider clock)
    {
        Options = options;
        var metrics = new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
        Redis = new RedisConnection(options, metrics, NullLogger<RedisConnection>.Instance);
        Health = new NodeHealth(options, new BackendTlsOptions(null), new NodeCapabilities(), metrics, NullLogger<NodeHealth>.Instance);
        Nodes = new NodeRegistry(options, Redis, NullLogger<NodeRegistry>.Instance);
        Orders = new ClusterOrders(Redis);
        Map = new AssignmentMap(Redis, Nodes);
        Accounts = new UserAccounts(options, Redis, new RedisPasswordDatabase(Redis), new PasswordHasher());
        Directory = new UserDirectory(options, Redis, Nodes, Health, metrics, NullLoggerFactory.Instance, clock, lease)
        {
            Failover = new PoolFailover(options, Nodes, Health, new MoveLedger(Redis), NullLogger<PoolFailover>.Instance),
        };
    }

    public DirectorOptions Options { get; }

    public ClusterOrders Orders { get; }

    public AssignmentMap Map { get; }

    public UserAccounts Accounts { get; }

    public RedisConnection Redis { get; }

    public NodeRegistry Nodes { get; }

    public NodeHealth Health { get; }

    public UserDirectory Directory { get; }

    public static async Task<TestDirector> StartAsync(string redis, string name = "director1", IReadOnlyList<BackendNode>? nodes = null,
        Func<DirectorOptions, DirectorOptions>? with = null, TimeSpan? lease = null, TimeProvider? clock = null)
    {
        var options = new DirectorOptions { Name = name, Redis = redis, Nodes = nodes ?? TwoNodes, RedisTimeout = TimeSpan.FromSeconds(30), AssignmentReplicaWait = TimeSpan.FromSeconds(4) };
        var director = new TestDirector(with?.Invoke(options) ?? options, lease ?? TimeSpan.FromSeconds(30), clock ?? TimeProvider.System);
        await director.Redis.ConnectAsync(CancellationToken.None);
        await director.Directory.StartAsync(CancellationToken.None);
        return director;
    }

    public Task<SessionTicket> OpenAsync(UserName user, string id, string address = "192.0.2.1") =>
        Directory.OpenSessionAsync(user, new SessionRecord(id, address, DateTimeOffset.UnixEpoch), CancellationToken.None);

    /// <summary>Goes away without a word, as a process that is killed.</summary>
    public async Task CrashAsync() => await Redis.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await Directory.DisposeAsync();
        await Redis.DisposeAsync();
    }

    public static BackendNode Node(string name, int weight = 100, string pool = "default") =>
        new() { Name = name, Host = "127.0.0.1", Weight = weight, Pool = pool, MasterPassword = "secret" };

    public static UserName User(string name) =>
        UserName.TryCreate(name, null, out var user) ? user : throw new ArgumentException("Not a user name.", nameof(name));

    /// <summary>Waits for what a background loop is about to do; the time is only the end of patience.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await condition()) await Task.Delay(20, patience.Token);
    }
}

/// <summary>A clock that stands until it is told to go.</summary>
internal sealed class ManualClock : TimeProvider
{
    private long _ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}
