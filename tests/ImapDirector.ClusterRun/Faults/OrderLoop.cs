using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Faults;

/// <summary>An operator, who kicks and drains at random.</summary>
internal sealed class OrderLoop(TestCluster cluster, IReadOnlyList<string> users, int seed, Action<string> tell)
{
    private readonly Random _random = new(seed);
    private readonly Dictionary<string, int> _given = [];

    /// <summary>How many orders there were of each kind, and how many of them were carried out.</summary>
    public IReadOnlyDictionary<string, int> Given => _given;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var user = users[_random.Next(users.Count)];
            var node = cluster.Nodes[_random.Next(cluster.Nodes.Count)].Name;
            switch (_random.Next(6))
            {
                case < 3:
                    await GiveAsync("kick", "sessions", "kick", "--user", user);
                    break;
                case 3:
                    await GiveAsync("kick a node", "sessions", "kick", "--node", node);
                    break;
                default:
                    await GiveAsync("drain", "nodes", "drain", node);
                    await Task.Delay(_random.Next(200, 1500), CancellationToken.None);
                    await GiveAsync("up", "nodes", "up", node);
                    break;
            }
            await Task.Delay(_random.Next(200, 1500), CancellationToken.None);
        }
        foreach (var node in cluster.Nodes) await GiveAsync("up", "nodes", "up", node.Name);
    }

    private async Task GiveAsync(string kind, params string[] order)
    {
        var (exitCode, _, error) = await cluster.OrderAsync(order);
        if (exitCode == 0) _given[kind] = _given.GetValueOrDefault(kind) + 1;
        else tell($"{string.Join(' ', order)}: {exitCode} {error.Trim()}");
    }
}
