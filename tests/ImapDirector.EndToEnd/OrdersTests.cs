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
        await Task.Delay(TimeSpan.FromSeconds(1));
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
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal(before, await NodesAsync(cluster, Users[..6]));
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
        Assert.Equal((3, "imapdirector: There is no node \"node7\": there are node0, node1.\n"), await FailAsync(cluster, "sessions", "kick", "--node", "node7"));
        Assert.Equal((3, "imapdirector: There is no node \"node7\": there are node0, node1.\n"), await FailAsync(cluster, "nodes", "drain", "node7"));
        Assert.Equal((65, "imapdirector: The weight is \"1001\": give a number from 0 to 1000, or \"configured\".\n"), await FailAsync(cluster, "nodes", "weight", "node1", "1001"));
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
        Assert.Equal([$"{Users[1]}: the node \"node9\" is not configured: the user cannot log in; configure the node, or move the user"], await RunAsync(cluster, 2, "directory", "verify"));

        var (code, printed, error) = await RunningProgram.RunAsync(string.Join('\n', [.. export, "{}", "{\"user\":\"A@b\",\"node\":\"node0\",\"epoch\":1}", "{\"user\":\"a@b\",\"node\":\"nodeX\",\"epoch\":1}", ""]),
            "directory", "import", "--config", cluster.Configuration);
        Assert.Equal((2, "1 brought back, 1 there already, 4 left out.\n"), (code, error));
        Assert.Contains("the user has another assignment, which stays", printed, StringComparison.Ordinal);
        Assert.Equal(nodes[0], await redis.GetDatabase().HashGetAsync($"imapdirector:{{{Users[0]}}}:assignment", "node"));
        Assert.Equal("node9", await redis.GetDatabase().HashGetAsync($"imapdirector:{{{Users[1]}}}:assignment", "node"));
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
