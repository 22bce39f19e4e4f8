using System.Globalization;
using ImapDirector.ClusterRun.Checks;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Faults;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun;

/// <summary>Clients, mail servers and an operator at work while everything fails now and then; afterwards, what holds.</summary>
internal static class InvariantRun
{
    private const int SessionLoops = 24, DeliveryLoops = 6, Users = 60;

    /// <returns>Whether all invariants hold.</returns>
    public static async Task<bool> RunAsync(TestCluster cluster, RunOptions options, CancellationToken stop)
    {
        string[] users = [.. Enumerable.Range(1, Users).Select(static number => $"user{number}@example.com")];
        await cluster.AddUsersAsync(users);
        var planned = PlannedFault.Plan(options.Seed, options.Time, cluster.Network.CanCut, options.SparesRedis);
        Console.WriteLine($"seed {options.Seed}, {options.Time.TotalSeconds:F0} s, Redis {options.Redis}, {(cluster.Network.CanCut ? "network namespaces" : "no right to network namespaces: no partitions, programs are paused instead")}; nodes: {string.Join(", ", [.. cluster.Nodes.Select(static node => node.Name), .. cluster.ForeignNodes])}");
        foreach (var fault in planned) Console.WriteLine(fault);

        var (begin, journal) = (DateTime.UtcNow, new Journal());
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(options.Time);
        await using var operating = await ClusterOperator.ConnectAsync(cluster);
        var (faults, orders) = (new FaultLoop(cluster, planned, Tell), new OrderLoop(cluster, operating, users, options.Seed + 1, Tell));
        var moves = new MoveLoop(cluster, operating, users, options.Seed + 2);
        var disturbing = Task.WhenAll(faults.RunAsync(end.Token), orders.RunAsync(end.Token), moves.RunAsync(end.Token));
        var clients = Enumerable.Range(0, SessionLoops).Select(number => new SessionLoop(cluster, journal, users, $"s{number}", options.Seed + 100 + number).RunAsync(end.Token));
        var senders = Enumerable.Range(0, DeliveryLoops).Select(number => new DeliveryLoop(cluster, journal, users, $"d{number}", options.Seed + 500 + number).RunAsync(end.Token));
        await Task.WhenAll([disturbing, .. clients, .. senders]);
        Tell("everything is mended");
        await moves.FinishAsync();

        var verdict = new Verdict();
        verdict.Figure("faults", Counts(faults.Made));
        verdict.Figure("orders", Counts(orders.Given));
        verdict.Figure("moves", Counts(moves.Ended));
        verdict.Figure("moves that could not be ordered", Counts(moves.Refused));
        verdict.Invariant("moves that do not come to their end", moves.Unfinished);
        await new FinalCheck(cluster, journal, users).RunAsync(verdict);
        Console.WriteLine(verdict);
        return verdict.Holds;

        void Tell(string what) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(DateTime.UtcNow - begin).TotalSeconds,6:F1} s  {what}"));
    }

    private static string Counts<TKey>(IReadOnlyDictionary<TKey, int> counts) => string.Join(", ", counts.Select(static one => $"{one.Value} {one.Key}"));
}
