using System.Collections.Concurrent;
using ImapDirector.ClusterRun.Servers;
using ImapDirector.Director.Moves;

namespace ImapDirector.ClusterRun.Faults;

/// <summary>Moves users to and fro between the bundled nodes, several at a time.</summary>
internal sealed class MoveLoop(TestCluster cluster, ClusterOperator moves, IReadOnlyList<string> users, int seed)
{
    private const int AtOnce = 8;

    private readonly ConcurrentDictionary<string, MoveStep> _seen = [];
    private readonly ConcurrentDictionary<MoveOutcome, int> _refused = [];

    /// <summary>How many moves there were, by how they ended.</summary>
    public IReadOnlyDictionary<MoveStep, int> Ended => _seen.Values.GroupBy(static step => step).ToDictionary(static group => group.Key, static group => group.Count());

    /// <summary>How many orders were not taken, by the reason.</summary>
    public IReadOnlyDictionary<MoveOutcome, int> Refused => _refused;

    /// <summary>Users whose moves were not over a while after everything was mended.</summary>
    public IReadOnlyList<string> Unfinished { get; private set; } = [];

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(number => OrderSomeAsync(new Random(seed + number), stop)));

    /// <summary>Waits for those that are on their way.</summary>
    public async Task FinishAsync()
    {
        Unfinished = await moves.FinishAsync();
        await LookAsync(users);
    }

    private async Task OrderSomeAsync(Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await OrderAsync(users[random.Next(users.Count)]);
            await Task.Delay(random.Next(50, 400), CancellationToken.None);
        }
    }

    private async Task OrderAsync(string user)
    {
        // Only between our own nodes does the mail go with the user.
        var names = cluster.Nodes.Select(static node => node.Name).ToArray();
        if (await cluster.NodeOfAsync(user) is not { } from || !names.Contains(from)) return;
        // The last move of this user is forgotten with the next.
        await LookAsync(user);
        var order = await moves.OrderAsync(user, from, names.First(node => node != from));
        if (order is { Outcome: MoveOutcome.Ordered, Id: { } id }) _seen[$"{user} {id}"] = MoveStep.Ordered;
        else _refused.AddOrUpdate(order.Outcome, 1, static (_, count) => count + 1);
    }

    private async Task LookAsync(params IEnumerable<string> whom)
    {
        foreach (var move in await moves.FindAsync(whom))
            if (_seen.ContainsKey($"{move.User} {move.Id}")) _seen[$"{move.User} {move.Id}"] = move.Step;
    }
}
