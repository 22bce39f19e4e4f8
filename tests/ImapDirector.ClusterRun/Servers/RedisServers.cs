using System.Globalization;
using ImapDirector.ClusterRun.Machines;

namespace ImapDirector.ClusterRun.Servers;

/// <summary>How Redis is run.</summary>
internal enum RedisKind
{
    /// <summary>A master with two replicas, and three sentinels that put one of them in its place.</summary>
    Sentinel,
    /// <summary>Three masters that share the slots, with a replica each.</summary>
    Cluster,
}

/// <summary>Real redis-servers, as large providers run them, a host each.</summary>
internal sealed class RedisServers : IAsyncDisposable
{
    private const int Port = 6379, SentinelPort = 26379;

    private readonly List<ClusterProgram> _sentinels = [];
    private readonly List<ClusterProgram> _servers = [];
    private readonly bool _isSpared;

    private RedisServers(RedisKind kind, bool isSpared) => (Kind, _isSpared) = (kind, isSpared);

    public RedisKind Kind { get; }

    public IReadOnlyList<ClusterProgram> Servers => _servers;

    public IEnumerable<TestHost> Hosts => _servers.Select(static server => server.Host);

    /// <summary>What a director is configured with.</summary>
    public string ConnectionString => Kind == RedisKind.Sentinel
        ? string.Join(',', Hosts.Select(static host => $"{host.Address}:{SentinelPort}")) + ",serviceName=main"
        : string.Join(',', Hosts.Select(static host => $"{host.Address}:{Port}"));

    public static IEnumerable<string> HostsOf(RedisKind kind) => Enumerable.Range(1, kind == RedisKind.Sentinel ? 3 : 6).Select(static number => $"redis{number}");

    public static async Task<RedisServers> StartAsync(RedisKind kind, bool isSpared, TestNetwork network, string directory)
    {
        var redis = new RedisServers(kind, isSpared);
        foreach (var name in HostsOf(kind)) await redis.AddAsync(name, network[name], directory);
        await Task.WhenAll(redis._servers.Select(static server => server.StartAsync()));
        if (kind == RedisKind.Cluster)
        {
            await Launcher.MustRunAsync("redis-cli", ["--cluster", "create", .. redis.Hosts.Select(static host => $"{host.Address}:{Port}"), "--cluster-replicas", "1", "--cluster-yes"]);
            await redis.UntilAsync("CLUSTER", "INFO", static answer => answer.Contains("cluster_state:ok", StringComparison.Ordinal));
        }
        else
        {
            await redis.UntilAsync("INFO", "replication", static answer => answer.Contains("role:master", StringComparison.Ordinal)
                ? answer.Contains("connected_slaves:2", StringComparison.Ordinal) : answer.Contains("master_link_status:up", StringComparison.Ordinal));
            await Task.WhenAll(redis._sentinels.Select(static sentinel => sentinel.StartAsync()));
        }
        return redis;
    }

    /// <summary>The servers that are masters in their own opinion, as far as they answer.</summary>
    public async Task<IReadOnlyList<ClusterProgram>> MastersAsync()
    {
        var masters = new List<ClusterProgram>();
        foreach (var server in _servers.Where(static server => server.Runs))
            if ((await AskAsync(server, "ROLE")).StartsWith("master", StringComparison.Ordinal)) masters.Add(server);
        return masters;
    }

    /// <summary>Kills all of them, with their sentinels.</summary>
    public async Task KillAllAsync()
    {
        foreach (var program in _sentinels.Concat(_servers)) await program.KillAsync();
    }

    /// <summary>Starts what does not run.</summary>
    public async Task StartMissingAsync()
    {
        foreach (var program in _servers.Concat(_sentinels))
            if (!program.Runs) await program.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _sentinels.Concat(_servers)) await program.DisposeAsync();
    }

    private async Task AddAsync(string name, TestHost host, string directory)
    {
        var data = Path.Combine(directory, name);
        Directory.CreateDirectory(data);
        var isReplica = Kind == RedisKind.Sentinel && _servers.Count > 0;
        // A master that reaches no replica takes nothing more: what it took would be lost with its place.
        // After a start it waits five seconds for more replicas to come before it serves the first, and takes nothing meanwhile, unless it is told not to.
        await File.WriteAllTextAsync(Path.Combine(data, "redis.conf"), string.Create(CultureInfo.InvariantCulture, $"""
            port {Port}
            bind {host.Address}
            protected-mode no
            dir {data}
            save ""
            appendonly yes
            appendfsync everysec
            min-replicas-to-write {(Kind == RedisKind.Sentinel ? 1 : 0)}
            min-replicas-max-lag 2
            repl-diskless-sync-delay 0
            replica-announce-ip {host.Address}
            {(isReplica ? $"replicaof {_servers[0].Host.Address} {Port}" : "")}
            {(Kind == RedisKind.Cluster ? $"cluster-enabled yes\ncluster-node-timeout 1500\ncluster-announce-ip {host.Address}" : "")}

            """));
        _servers.Add(new ClusterProgram(name, host, directory, new(host.Address, Port), ["redis-server", Path.Combine(data, "redis.conf")]));
        if (Kind != RedisKind.Sentinel) return;
        await File.WriteAllTextAsync(Path.Combine(data, "sentinel.conf"), string.Create(CultureInfo.InvariantCulture, $"""
            port {SentinelPort}
            bind {host.Address}
            protected-mode no
            dir {data}
            sentinel announce-ip {host.Address}
            sentinel monitor main {_servers[0].Host.Address} {Port} 2
            sentinel down-after-milliseconds main {(_isSpared ? 60_000 : 1000)}
            sentinel failover-timeout main 4000

            """));
        _sentinels.Add(new ClusterProgram(name.Replace("redis", "sentinel", StringComparison.Ordinal), host, directory, new(host.Address, SentinelPort), ["redis-server", Path.Combine(data, "sentinel.conf"), "--sentinel"]));
    }

    private async Task UntilAsync(string command, string argument, Func<string, bool> isReached)
    {
        foreach (var server in _servers)
            while (!isReached(await AskAsync(server, command, argument))) await Task.Delay(50);
    }

    private static async Task<string> AskAsync(ClusterProgram server, params string[] command) =>
        (await Launcher.RunAsync("timeout", ["2", "redis-cli", "-h", server.Host.Address.ToString(), .. command])).Printed;
}
