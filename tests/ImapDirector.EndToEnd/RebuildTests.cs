using System.Globalization;
using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary><c>imapdirector directory rebuild</c> with real nodes and a Redis that has lost everything.</summary>
public sealed class RebuildTests
{
    private static readonly string[] Users = [.. Enumerable.Range(0, 6).Select(number => $"user{number}@example.com")];

    [FactIfInstalled("redis-server")]
    public async Task Redis_has_lost_everything_and_everybody_is_where_their_mail_is()
    {
        await using var cluster = await MovingCluster.StartAsync(Users, nodes: 3);
        foreach (var user in Users) await Mail.DeliverAsync(cluster.Director.Lmtp, user, Mail.Message($"of {user}"));
        // One who has moved, and whose node has a higher epoch for it.
        Assert.Equal(0, (await cluster.RunAsync("user", "move", Users[0], "node2")).ExitCode);
        var before = await NodesAsync(cluster);
        var account = await cluster.Database.HashGetAllAsync($"imapdirector:{{{Users[0]}}}:account");
        // So that nobody remembers where they were, or assigns them anew.
        await cluster.KillDirectorAsync(0);
        await cluster.Database.ScriptEvaluateAsync("return redis.call('FLUSHALL')");

        Assert.Equal((0, "", 6), await RebuildAsync(cluster, "6 users would be brought back, 0 were there already, 0 findings.", "--offline", "--dry-run"));
        Assert.All(await NodesAsync(cluster), static node => Assert.Null(node));
        Assert.Equal((0, "", 6), await RebuildAsync(cluster, "6 users are brought back, 0 were there already, 0 findings.", "--offline"));
        Assert.Equal(before, await NodesAsync(cluster));
        var epochs = await Task.WhenAll(Users.Select(async user => (long)await cluster.Database.HashGetAsync(KeyOf(user), "epoch")));
        Assert.Equal([4L, 2, 2, 2, 2, 2], epochs);

        foreach (var user in Users) await cluster.Database.HashSetAsync($"imapdirector:{{{user}}}:account", account);
        await cluster.StartDirectorAsync(0);
        foreach (var user in Users)
        {
            using var client = await Mail.LogInAsync(cluster.Director.Imaps, user);
            await client.Inbox.OpenAsync(MailKit.FolderAccess.ReadOnly);
            Assert.Equal(1, client.Inbox.Count);
            await Mail.DeliverAsync(cluster.Director.Lmtp, user, Mail.Message("once more"));
        }
        Assert.Equal((0, "", 0), await RebuildAsync(cluster, "0 users are brought back, 6 were there already, 0 findings."));
        Assert.Equal(6, (await cluster.HeldAsync()).Count);
    }

    [FactIfInstalled("redis-server")]
    public async Task Over_the_API_what_is_not_plain_is_told_and_stays_as_it_is()
    {
        await using var cluster = await MovingCluster.StartAsync(Users[..3]);
        foreach (var user in Users[..3]) await Mail.DeliverAsync(cluster.Director.Lmtp, user, Mail.Message("one"));
        var before = await NodesAsync(cluster);
        var (twice, elsewhere, plain) = (Users[0], Users[1], Users[2]);
        // As if they had been given another node when the map was lost, and had had mail there since.
        await cluster.KillDirectorAsync(0);
        foreach (var user in new[] { twice, elsewhere }) await cluster.Database.HashSetAsync(KeyOf(user), [new("node", before[Array.IndexOf(Users, user)] == "node0" ? "node1" : "node0"), new("epoch", 1)]);
        await cluster.StartDirectorAsync(0);
        await Mail.DeliverAsync(cluster.Director.Lmtp, twice, Mail.Message("two"));
        await Mail.DeliverAsync(cluster.Director.Lmtp, twice, Mail.Message("three"));
        await cluster.KillDirectorAsync(0);
        await cluster.Database.KeyDeleteAsync([KeyOf(twice), KeyOf(plain)]);
        await cluster.StartDirectorAsync(0);

        var (code, printed, brought) = await RebuildAsync(cluster, "1 users are brought back, 0 were there already, 2 findings.");
        Assert.Equal((2, 1), (code, brought));
        Assert.Contains($"{twice} is found more than once, at node0 (active, epoch 1, {(before[0] == "node0" ? 1 : 2)} messages, changed 20", printed, StringComparison.Ordinal);
        Assert.Contains($"{elsewhere} is assigned to ", printed, StringComparison.Ordinal);
        Assert.False(await cluster.Database.KeyExistsAsync(KeyOf(twice)));
        Assert.NotEqual(before[1], await cluster.NodeOfAsync(elsewhere));
        Assert.Equal(before[2], await cluster.NodeOfAsync(plain));

        // A node that is away says nothing of whom it holds.
        await cluster.Database.KeyDeleteAsync(KeyOf(plain));
        var away = before[2] == "node0" ? 1 : 0;
        await cluster.KillNodeAsync(away);
        (code, printed, _) = await RebuildAsync(cluster, "Not every node has told whom it holds: nothing was written.");
        Assert.Equal(69, code);
        Assert.Contains($"leave it out with \"--without node{away}\"", printed, StringComparison.Ordinal);
        Assert.Null(await cluster.NodeOfAsync(plain));
        Assert.Equal(3, (await cluster.RunAsync("directory", "rebuild", "--without", "node7")).ExitCode);
        Assert.Equal(3, (await cluster.RunAsync("directory", "rebuild", "--offline", "--without", "node7")).ExitCode);
        await cluster.RunAsync("directory", "rebuild", "--without", $"node{away}");
        Assert.Equal(before[2], await cluster.NodeOfAsync(plain));
    }

    private static string KeyOf(string user) => $"imapdirector:{{{user}}}:assignment";

    private static Task<string?[]> NodesAsync(MovingCluster cluster) => Task.WhenAll(Users.Select(cluster.NodeOfAsync));

    private static async Task<(int Code, string Printed, int Brought)> RebuildAsync(MovingCluster cluster, string end, params string[] arguments)
    {
        var (code, printed, error) = await cluster.RunAsync(["directory", "rebuild", .. arguments]);
        var last = error.TrimEnd('\n').Split('\n')[^1];
        Assert.True(last == end, error + printed);
        return (code, printed, int.TryParse(last.Split(' ')[0], CultureInfo.InvariantCulture, out var brought) ? brought : -1);
    }
}
