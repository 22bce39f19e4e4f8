using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary><c>imapdirector nodes</c> and <c>imapdirector sessions</c>, on a cluster of processes.</summary>
public sealed class OrdersTests
{
    private static readonly string[] Users = [.. Enumerable.Range(0, 12).Select(number => $"user{number}@example.com")];

    [FactIfInstalled("redis-server")]
    public async Task A_node_is_drained_taken_down_and_brought_back_while_everything_runs()
    {
        await using var cluster = await Cluster.StartAsync(Users);
        var before = await NodesAsync(cluster, Users[..6]);
        Assert.Equal(["node0  up  weight 100", "node1  up  weight 100"], (await RunAsync(cluster, 0, "nodes", "list")).Select(static line => line[..21]));

        Assert.StartsWith("node0  draining  weight 100", Assert.Single(await RunAsync(cluster, 0, "nodes", "drain", "node0")), StringComparison.Ordinal);
        // A director heeds what it was told itself at once.
        Assert.All(await NodesAsync(cluster, Users[6..]), static node => Assert.Equal("node1", node));
        Assert.Equal(before, await NodesAsync(cluster, Users[..6]));

        var there = Users[Array.IndexOf(before, "node0")];
        using var running = await Mail.LogInAsync(cluster.Director.Imaps, there);
        Assert.StartsWith("node0  down", Assert.Single(await RunAsync(cluster, 0, "nodes", "down", "node0")), StringComparison.Ordinal);
        await using (var session = await RawSession.ConnectAsync(cluster.Director.Imap))
        {
            await session.SendAsync($"a LOGIN {there} \"{Mail.Password}\"");
            Assert.StartsWith("a NO [UNAVAILABLE]", await session.ReadToAsync("a NO"), StringComparison.Ordinal);
        }
        await using (var sender = await LmtpClient.BeginAsync(cluster.Director.Lmtp))
            Assert.StartsWith("451 ", await sender.AskAsync($"RCPT TO:<{there}>"), StringComparison.Ordinal);
        // What runs goes on, until it is told to end.
        await running.NoOpAsync();
        Assert.Equal(["1 sessions were told to end."], await RunAsync(cluster, 0, "sessions", "kick", "--node", "node0"));
        await Assert.ThrowsAnyAsync<Exception>(() => running.NoOpAsync());

        Assert.StartsWith("node0  down  weight 7 (configured 100)", Assert.Single(await RunAsync(cluster, 0, "nodes", "weight", "node0", "7")), StringComparison.Ordinal);
        Assert.StartsWith("node0  up  weight 7 (configured 100)", Assert.Single(await RunAsync(cluster, 0, "nodes", "up", "node0")), StringComparison.Ordinal);
        Assert.Equal(before, await NodesAsync(cluster, Users[..6]));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_node_is_added_reached_through_the_gateway_changed_and_taken_out_while_everything_runs()
    {
        await using var cluster = await Cluster.StartAsync();
        using var page = new HttpListenerOfTheTest();
        Assert.StartsWith("node2  up  weight 0  pool default  127.0.0.1:1  added", Assert.Single(await RunAsync(cluster, 0, "nodes", "add", "node2", "host=127.0.0.1", "imapPort=1", "weight=0", $"http={page.Address}")), StringComparison.Ordinal);
        using (var http = new HttpClient { BaseAddress = cluster.Director.Http }) Assert.Equal("of the node", await http.GetStringAsync("/nodes/node2/metrics"));
        Assert.Contains("  pool archive  ", Assert.Single(await RunAsync(cluster, 0, "nodes", "set", "node2", "pool=archive", "weight=configured")), StringComparison.Ordinal);
        Assert.Equal((73, "imapdirector: There is a node node2 already: change that one.\n"), await FailAsync(cluster, "nodes", "add", "node2", "host=127.0.0.1"));
        Assert.Equal((75, "imapdirector: Node node2 takes new users: drain it first.\n"), await FailAsync(cluster, "nodes", "remove", "node2"));
        Assert.Contains("NodeNetworks (127.0.0.0/8)", (await FailAsync(cluster, "nodes", "set", "node2", "host=192.0.2.1")).Error, StringComparison.Ordinal);
        await RunAsync(cluster, 0, "nodes", "down", "node2");
        // Not every director may have heard of it before ten seconds have gone.
        while ((await FailAsync(cluster, "nodes", "remove", "node2")).Code is 75) await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal(2, (await RunAsync(cluster, 0, "nodes", "list")).Count);
        using (var http = new HttpClient { BaseAddress = cluster.Director.Http }) Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync("/nodes/node2/metrics")).StatusCode);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_director_without_a_token_takes_no_orders_and_a_wrong_token_is_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("token"), new string('x', 32));
        var (code, _, error) = await RunningProgram.RunAsync("", "nodes", "list", "--api", cluster.Director.Http.ToString(), "--token-file", directory.File("token"));
        Assert.Equal((78, "imapdirector: Show the token of the director's ApiTokenFile, as \"Authorization: Bearer …\".\n"), (code, error));
        (code, _, error) = await RunningProgram.RunAsync("", "nodes", "list", "--api", cluster.Director.Http.ToString());
        Assert.Equal((78, "imapdirector: --api has nothing to show: give --token-file, or --certificate-file and --key-file.\n"), (code, error));
        Assert.Equal(3, (await FailAsync(cluster, "user", "show", "nobody@example.com")).Code);
        Assert.Equal(65, (await FailAsync(cluster, "user", "show", "../nodes")).Code);
    }

    [FactIfInstalled("redis-server")]
    public async Task Sessions_are_shown_and_ended_by_user_node_and_address()
    {
        await using var cluster = await Cluster.StartAsync(Users[..2]);
        using var one = await Mail.LogInAsync(cluster.Director.Imaps, Users[0]);
        using var two = await Mail.LogInAsync(cluster.Director.Imaps, Users[0]);
        using var other = await Mail.LogInAsync(cluster.Director.Imaps, Users[1]);
        Assert.Equal(3, (await RunAsync(cluster, 0, "sessions", "list")).Count);
        Assert.All(await RunAsync(cluster, 0, "sessions", "list", "--user", Users[0], "--address", "127.0.0.1"), line => Assert.Contains($"  {Users[0]}  node node", line, StringComparison.Ordinal));
        Assert.Empty(await RunAsync(cluster, 0, "sessions", "list", "--address", "192.0.2.1"));

        Assert.Equal(["2 sessions were told to end."], await RunAsync(cluster, 0, "sessions", "kick", "--user", Users[0].ToUpperInvariant()));
        Assert.Contains(Users[1], Assert.Single(await RunAsync(cluster, 0, "sessions", "list")), StringComparison.Ordinal);
        await other.NoOpAsync();

        Assert.Equal((64, "imapdirector: Nothing says which sessions are to end: give --user, --node or --address.\n"), await FailAsync(cluster, "sessions", "kick"));
        Assert.Equal((3, "imapdirector: There is no node \"node7\": the nearest names are node0, node1.\n"), await FailAsync(cluster, "sessions", "kick", "--node", "node7"));
        Assert.Equal((3, "imapdirector: There is no node \"node7\": the nearest names are node0, node1.\n"), await FailAsync(cluster, "nodes", "drain", "node7"));
        Assert.Equal((65, "imapdirector: node1:Weight is 1001: give a number from 0 to 1000.\n"), await FailAsync(cluster, "nodes", "weight", "node1", "1001"));
        Assert.Equal(65, (await FailAsync(cluster, "sessions", "list", "--user", "no good name")).Code);
        Assert.Equal(65, (await FailAsync(cluster, "sessions", "list", "--address", "here")).Code);
    }

    [FactIfInstalled("redis-server")]
    public async Task The_map_is_explained_exported_brought_back_and_verified()
    {
        await using var cluster = await Cluster.StartAsync(Users[..3]);
        var nodes = await NodesAsync(cluster, Users[..3]);
        var explained = await RunAsync(cluster, 0, "directory", "explain", Users[0]);
        Assert.Contains($"assignment  {nodes[0]}, epoch 1", explained);
        Assert.Contains($"next login  goes to {nodes[0]}, because the mail is there", explained);
        Assert.Contains($"new users   of this name would be given {nodes[0]}", explained);
        Assert.Contains("assignment  none yet: given at the first login or delivery", await RunAsync(cluster, 0, "directory", "explain", "nobody@example.com"));
        await RunAsync(cluster, 0, "nodes", "down", nodes[0]);
        Assert.Contains($"next login  NO [UNAVAILABLE]: {nodes[0]} is down; \"nodes up {nodes[0]}\" brings it back", await RunAsync(cluster, 0, "directory", "explain", Users[0]));

        var export = await RunAsync(cluster, 0, "directory", "export");
        Assert.Equal(Users[..3].Zip(nodes, static (user, node) => $"{{\"user\":\"{user}\",\"node\":\"{node}\",\"epoch\":1}}"), export.Order(StringComparer.Ordinal));
        await using var redis = await ConnectionMultiplexer.ConnectAsync(cluster.Redis.ConnectionString);
        await redis.GetDatabase().KeyDeleteAsync($"imapdirector:{{{Users[0]}}}:assignment");
        await redis.GetDatabase().HashSetAsync($"imapdirector:{{{Users[1]}}}:assignment", [new("node", "node9"), new("epoch", 2)]);
        Assert.Equal([$"{Users[1]}: the node \"node9\" is not there: the user cannot log in; add the node, or move the user"], await RunAsync(cluster, 2, "directory", "verify"));

        var (code, printed, error) = await RunningProgram.RunAsync(string.Join('\n', [.. export, "{}", "{\"user\":\"A@b\",\"node\":\"node0\",\"epoch\":1}", "{\"user\":\"a@b\",\"node\":\"nodeX\",\"epoch\":1}", ""]),
            "directory", "import", "--config", cluster.Configuration);
        Assert.Equal((2, "1 brought back, 1 there already, 4 left out.\n"), (code, error));
        Assert.Contains("the user has another assignment, which stays", printed, StringComparison.Ordinal);
        Assert.Equal(nodes[0], await redis.GetDatabase().HashGetAsync($"imapdirector:{{{Users[0]}}}:assignment", "node"));
        Assert.Equal("node9", await redis.GetDatabase().HashGetAsync($"imapdirector:{{{Users[1]}}}:assignment", "node"));

        // Redis has lost everything, and no director runs that would assign users anew.
        await cluster.Director.KillAsync();
        await redis.GetDatabase().KeyDeleteAsync([.. Users[..3].Select(static user => (RedisKey)$"imapdirector:{{{user}}}:assignment")]);
        (code, _, error) = await RunningProgram.RunAsync(string.Join('\n', export), "directory", "import", "--config", cluster.Configuration);
        Assert.Equal(69, code);
        Assert.EndsWith("does not answer: see that the director runs.\n", error, StringComparison.Ordinal);
        Assert.Equal((0, "", "3 brought back, 0 there already, 0 left out.\n"), await RunningProgram.RunAsync(string.Join('\n', export), "directory", "import", "--offline", "--config", cluster.Configuration));
        Assert.Equal(nodes[0], await redis.GetDatabase().HashGetAsync($"imapdirector:{{{Users[0]}}}:assignment", "node"));
    }

    /// <summary>A node's metrics, for the gateway.</summary>
    private sealed class HttpListenerOfTheTest : IDisposable
    {
        private readonly System.Net.Sockets.TcpListener _listener = new(System.Net.IPAddress.Loopback, 0);

        public HttpListenerOfTheTest()
        {
            _listener.Start();
            Address = $"http://{_listener.LocalEndpoint}";
            _ = ServeAsync();
        }

        public string Address { get; }

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    var stream = client.GetStream();
                    _ = await stream.ReadAsync(new byte[8192]);
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nConnection: close\r\n\r\nof the node"u8.ToArray());
                }
            }
            catch (Exception ended) when (ended is ObjectDisposedException or System.Net.Sockets.SocketException)
            {
                // The test is over.
            }
        }
    }

    private static async Task<string[]> NodesAsync(Cluster cluster, IReadOnlyList<string> users)
    {
        var nodes = new List<string>();
        foreach (var user in users)
        {
            using (await Mail.LogInAsync(cluster.Director.Imaps, user)) nodes.Add(await cluster.ShowAsync(user, "node"));
        }
        return [.. nodes];
    }

    private static async Task<IReadOnlyList<string>> RunAsync(Cluster cluster, int code, params string[] arguments)
    {
        var (exitCode, printed, error) = await RunningProgram.RunAsync("", [.. arguments, "--config", cluster.Configuration]);
        Assert.True(exitCode == code, $"{exitCode} {error}");
        return printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<(int Code, string Error)> FailAsync(Cluster cluster, params string[] arguments)
    {
        var (code, _, error) = await RunningProgram.RunAsync("", [.. arguments, "--config", cluster.Configuration]);
        return (code, error);
    }
}
