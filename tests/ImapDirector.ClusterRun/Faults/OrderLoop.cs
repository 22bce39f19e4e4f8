using System.Collections.Concurrent;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Faults;

/// <summary>An operator, who kicks and drains at random.</summary>
internal sealed class OrderLoop(TestCluster cluster, ClusterOperator orders, IReadOnlyList<string> users, int seed, Action<string> tell)
{
    private const int KicksAtOnce = 4;

    private readonly ConcurrentDictionary<string, int> _given = [];

    /// <summary>How many orders there were of each kind, and how many of them were carried out.</summary>
    public IReadOnlyDictionary<string, int> Given => _given;

    public Task RunAsync(CancellationToken stop) => Task.WhenAll([CommandAsync(stop), DrainAsync(stop), .. Enumerable.Range(0, KicksAtOnce).Select(number => KickAsync(new Random(seed + 3 + number), stop))]);

    private async Task KickAsync(Random random, CancellationToken stop)
    {
        for (; !stop.IsCancellationRequested; await Task.Delay(random.Next(50, 400), CancellationToken.None))
            if (await orders.KickAsync(users[random.Next(users.Count)])) Count("kick");
    }

    private async Task DrainAsync(CancellationToken stop)
    {
        for (var random = new Random(seed + 2); !stop.IsCancellationRequested; await Task.Delay(random.Next(1000, 4000), CancellationToken.None))
        {
            var node = cluster.Nodes[random.Next(cluster.Nodes.Count)].Name;
            if (await orders.SetAsync(node, "draining")) Count("drain");
            await Task.Delay(random.Next(200, 1500), CancellationToken.None);
            // Also at the end: nobody could be moved to it, nor be new there.
            while (!await orders.SetAsync(node, "up")) await Task.Delay(100, CancellationToken.None);
        }
    }

    /// <summary>With the program's commands, of which only few find the time.</summary>
    private async Task CommandAsync(CancellationToken stop)
    {
        for (var random = new Random(seed); !stop.IsCancellationRequested; await Task.Delay(random.Next(1000, 4000), CancellationToken.None))
        {
            string[] order = random.Next(4) > 0 ? ["--user", users[random.Next(users.Count)]] : ["--node", cluster.Nodes[random.Next(cluster.Nodes.Count)].Name];
            var (exitCode, _, error) = await cluster.OrderAsync(["sessions", "kick", .. order]);
            if (exitCode == 0) Count($"kick {order[0]}");
            else tell($"sessions kick {string.Join(' ', order)}: {exitCode} {error.Trim()}");
        }
    }

    private void Count(string kind) => _given.AddOrUpdate(kind, 1, static (_, count) => count + 1);
}
