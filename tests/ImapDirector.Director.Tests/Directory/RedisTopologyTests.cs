using System.Diagnostics;
using System.Globalization;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>Redis as large providers run it.</summary>
public sealed class RedisTopologyTests
{
    [FactIfInstalled("redis-server")]
    public async Task On_a_Redis_Cluster_everything_is_as_on_one_server()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var director = await TestDirector.StartAsync(cluster.ConnectionString);
        await using var other = await TestDirector.StartAsync(cluster.ConnectionString, "director2");
        var orders = director.Orders;
        await using var map = new AssignmentMap(director.Options, NullLoggerFactory.Instance);
        await map.ConnectAsync(CancellationToken.None);
        Assert.NotNull(director.Directory.Incarnation);

        // Enough users for every server to have some.
        for (var i = 0; i < 60; i++)
        {
            var user = User($"user{i}@example.com");
            var first = await director.OpenAsync(user, $"s{i}");
            Assert.Equal(DirectoryOutcome.Assigned, first.Outcome);
            Assert.Equal(first, await other.OpenAsync(user, $"t{i}"));
        }
        Assert.Equal(120, (await orders.ListSessionsAsync(new SessionFilter(null, null, null), CancellationToken.None))!.Count);
        var assignments = new List<Assignment>();
        Assert.True(await map.ReadAllAsync(assignment =>
        {
            assignments.Add(assignment);
            return ValueTask.CompletedTask;
        }, CancellationToken.None));
        Assert.Equal(60, assignments.Count);

        var nodes = new NodeOrders(director.Redis, director.Nodes, TimeSpan.Zero);
        Assert.Equal(NodeState.Draining, (await nodes.ChangeAsync("node1", new Dictionary<string, string?> { ["state"] = "draining" }, CancellationToken.None)).After?.State);
        for (var i = 0; i < 20; i++) Assert.Equal("node2", (await director.OpenAsync(User($"new{i}@example.com"), "s")).Node?.Name);
        Assert.True(await orders.KickAsync(new SessionFilter(User("user1@example.com"), null, null), CancellationToken.None));
        await director.Directory.CloseSessionAsync(User("user1@example.com"), "s1");
        Assert.Single((await orders.ListSessionsAsync(new SessionFilter(User("user1@example.com"), null, null), CancellationToken.None))!);
    }

    [FactIfInstalled("redis-server")]
    public async Task On_a_Redis_Cluster_a_new_user_waits_for_the_replica_of_the_server_that_has_their_slot()
    {
        await using var cluster = await RedisCluster.StartAsync(withReplicas: true);
        await using var director = await TestDirector.StartAsync(cluster.ConnectionString);
        var users = Enumerable.Range(0, 60).Select(static i => User($"user{i}@example.com")).ToArray();
        Assert.True(director.Redis.Replicas.IsRequired);
        var known = users.Take(20).ToHashSet();
        foreach (var user in known) Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, "s1")).Outcome);

        await cluster.ReplicaOfFirst.StallAsync();

        var outcomes = await Task.WhenAll(users.Select(async user => (await director.OpenAsync(user, "s2")).Outcome));
        foreach (var (user, outcome) in users.Zip(outcomes))
            Assert.Equal(await cluster.IsAtFirstAsync(user) && !known.Contains(user) ? DirectoryOutcome.Unconfirmed : DirectoryOutcome.Assigned, outcome);
        await cluster.ReplicaOfFirst.ResumeAsync();
        foreach (var user in users) await UntilAsync(async () => (await director.OpenAsync(user, "s3")).Outcome == DirectoryOutcome.Assigned);
    }

    [FactIfInstalled("redis-server")]
    public async Task When_Sentinel_puts_a_replica_in_the_masters_place_logins_go_on_with_every_assignment()
    {
        await using var master = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        await using var replica = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1", $"{master.Port}");
        await using var sentinel = await Sentinel.StartAsync(master.Port);
        await using var director = await TestDirector.StartAsync($"127.0.0.1:{sentinel.Port},serviceName=main");
        var before = new Dictionary<string, SessionTicket>();
        for (var i = 0; i < 20; i++) before[$"user{i}@example.com"] = await director.OpenAsync(User($"user{i}@example.com"), $"s{i}");
        Assert.All(before.Values, static ticket => Assert.Equal(DirectoryOutcome.Assigned, ticket.Outcome));
        // That it was confirmed is on its way to the replica like everything else.
        await using (var probe = await ConnectionMultiplexer.ConnectAsync(master.ConnectionString))
            Assert.Equal(1, (int)await probe.GetDatabase().ExecuteAsync("WAIT", 1, 5000));

        await master.KillAsync();
        // Another director, that remembers nobody.
        await using var fresh = await TestDirector.StartAsync($"127.0.0.1:{sentinel.Port},serviceName=main", "director2");
        // The new master has no replica: those who were there are, and new ones wait for one.
        await UntilAsync(async () => (await fresh.OpenAsync(User("probe@example.com"), "p")).Outcome == DirectoryOutcome.Unconfirmed);
        foreach (var (user, ticket) in before) Assert.Equal(ticket, await fresh.OpenAsync(User(user), "again"));

        await master.RestartAsync();
        await UntilAsync(async () => (await fresh.OpenAsync(User("probe@example.com"), "p")).Outcome == DirectoryOutcome.Assigned);
        await UntilAsync(async () => (await director.OpenAsync(User("new@example.com"), "n")).Outcome == DirectoryOutcome.Assigned);
    }

    /// <summary>Three masters that share the slots.</summary>
    private sealed class RedisCluster : IAsyncDisposable
    {
        private const int Slots = 16384;

        private readonly List<RedisServer> _servers = [];

        public string ConnectionString => string.Join(',', _servers.Select(static server => server.ConnectionString));

        public RedisServer ReplicaOfFirst => _servers[3];

        public static async Task<RedisCluster> StartAsync(bool withReplicas = false)
        {
            var cluster = new RedisCluster();
            var busPorts = new List<int>();
            var count = withReplicas ? 6 : 3;
            for (var i = 0; i < count; i++)
            {
                busPorts.Add(FreePort.Next());
                cluster._servers.Add(await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{busPorts[i]}", "--cluster-node-timeout", "30000", "--repl-diskless-sync-delay", "0"));
            }
            for (var i = 0; i < count; i++)
            {
                if (i < 3) await AskAsync(cluster._servers[i], "CLUSTER", "ADDSLOTSRANGE", $"{Slots * i / 3}", $"{(Slots * (i + 1) / 3) - 1}");
                if (i > 0) await AskAsync(cluster._servers[0], "CLUSTER", "MEET", "127.0.0.1", $"{cluster._servers[i].Port}", $"{busPorts[i]}");
            }
            foreach (var server in cluster._servers)
                await UntilAsync(async () => (await AskAsync(server, "CLUSTER", "INFO")).Contains("cluster_state:ok", StringComparison.Ordinal)
                    && (await AskAsync(server, "CLUSTER", "INFO")).Contains($"cluster_known_nodes:{count}", StringComparison.Ordinal));
            for (var i = 3; i < count; i++)
            {
                var (server, master) = (cluster._servers[i], (await AskAsync(cluster._servers[i - 3], "CLUSTER", "MYID")).Trim());
                await AskAsync(server, "CLUSTER", "REPLICATE", master);
                await UntilAsync(async () => (await AskAsync(server, "INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal));
            }
            return cluster;
        }

        /// <summary>Whether the first server has a user's slot.</summary>
        public async Task<bool> IsAtFirstAsync(UserName user) =>
            int.Parse(await AskAsync(_servers[0], "CLUSTER", "KEYSLOT", RedisKeys.Assignment(user).ToString()), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture) < Slots / 3;

        public async ValueTask DisposeAsync()
        {
            foreach (var server in _servers) await server.DisposeAsync();
        }

        private static async Task<string> AskAsync(RedisServer server, params string[] command)
        {
            using var client = Process.Start(new ProcessStartInfo("redis-cli", ["-p", server.Port.ToString(CultureInfo.InvariantCulture), .. command]) { RedirectStandardOutput = true })!;
            var answer = await client.StandardOutput.ReadToEndAsync();
            await client.WaitForExitAsync();
            return answer;
        }
    }

    /// <summary>A sentinel that decides alone.</summary>
    private sealed class Sentinel : IAsyncDisposable
    {
        private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("sentinel-").FullName;
        private Process? _process;

        public int Port { get; } = FreePort.Next();

        public static async Task<Sentinel> StartAsync(int master)
        {
            var sentinel = new Sentinel();
            var file = Path.Combine(sentinel._directory, "sentinel.conf");
            await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
                port {sentinel.Port}
                bind 127.0.0.1
                dir {sentinel._directory}
                sentinel monitor main 127.0.0.1 {master} 1
                sentinel down-after-milliseconds main 5000
                sentinel failover-timeout main 3000

                """));
            sentinel._process = Process.Start(new ProcessStartInfo("redis-server", [file, "--sentinel"]) { RedirectStandardOutput = true })!;
            sentinel._process.OutputDataReceived += (_, _) => { };
            sentinel._process.BeginOutputReadLine();
            // Only once it knows of the replica can it choose it.
            await UntilAsync(async () =>
            {
                using var client = Process.Start(new ProcessStartInfo("redis-cli", ["-p", $"{sentinel.Port}", "sentinel", "replicas", "main"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                var answer = await client.StandardOutput.ReadToEndAsync();
                await client.WaitForExitAsync();
                return answer.Contains("master-link-status", StringComparison.Ordinal) && answer.Contains("\nok\n", StringComparison.Ordinal);
            });
            return sentinel;
        }

        public async ValueTask DisposeAsync()
        {
            if (_process is { } process)
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
            }
            System.IO.Directory.Delete(_directory, true);
        }
    }
}
