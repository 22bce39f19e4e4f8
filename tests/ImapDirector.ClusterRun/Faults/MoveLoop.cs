using ImapDirector.ClusterRun.Servers;
using ImapDirector.Director.Moves;

namespace ImapDirector.ClusterRun.Faults;

/// <summary>Moves users to and fro between the bundled nodes, several at a time.</summary>
internal sealed class MoveLoop(TestCluster cluster, ClusterMoves moves, IReadOnlyList<string> users, int seed)
{
    private readonly Random _random = new(seed);
    private readonly Dictionary<string, MoveStep> _seen = [];

    /// <summary>How many moves there were, by how they ended.</summary>
    public IReadOnlyDictionary<MoveStep, int> Ended => _seen.Values.GroupBy(static step => step).ToDictionary(static group => group.Key, static group => group.Count());

    /// <summary>Users whose moves were not over a while after everything was mended.</summary>
    public IReadOnlyList<string> Unfinished { get; private set; } = [];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await OrderAsync(users[_random.Next(users.Count)]);
            await Task.Delay(_random.Next(50, 400), CancellationToken.None);
        }
    }

    /// <summary>Waits for those that are on their way.</summary>
    public async Task FinishAsync()
    {
        Unfinished = await moves.FinishAsync();
        await LookAsync(users);
    }

    private async Task OrderAsync(string user)
    {
        // Only between our own nodes does the mail go with the user.
        var names = cluster.Nodes.Select(static node => node.Name).ToArray();
        if (await cluster.NodeOfAsync(user) is not { } from || !names.Contains(from)) return;
        // The last move of this user is forgotten with the next.
        await LookAsync(user);
        if (await moves.OrderAsync(user, from, names.First(node => node != from)) is { } id) _seen[$"{user} {id}"] = MoveStep.Ordered;
    }

    private async Task LookAsync(params IEnumerable<string> whom)
    {
        foreach (var move in await moves.FindAsync(whom))
            if (_seen.ContainsKey($"{move.User} {move.Id}")) _seen[$"{move.User} {move.Id}"] = move.Step;
    }
}
