using ImapDirector.ClusterRun.Checks;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Scenarios;

/// <summary>Users move while one director reaches no Redis: it goes by what it remembers, keeps their sessions, and sends whoever comes to the old node. Only the fence
/// at that node keeps them from being at two nodes, so this is also the run that shows what becomes of them without it (<c>mutant.sh</c>).</summary>
internal static class StaleDirector
{
    private const int Users = 12, DeliveryLoops = 4, Stale = 2;
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(3), After = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromMinutes(2);

    public static async Task<bool> RunAsync(TestCluster cluster, int seed, CancellationToken stop)
    {
        if (!cluster.Network.CanCut)
        {
            Console.WriteLine("Nothing can be cut off here: it takes root.");
            return false;
        }
        var (from, to) = (cluster.Nodes[0].Name, cluster.Nodes[1].Name);
        string[] users = [.. Enumerable.Range(0, Users).Select(static number => $"user{number}@example.com")];
        await cluster.AddUsersAsync(users, from);
        var journal = new Journal();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        // Each user has a client at the director that is cut off, and one at another.
        var working = Task.WhenAll([
            .. users.Select((user, number) => new SessionLoop(cluster, journal, [user], $"s{number}", seed + number, Stale).RunAsync(end.Token)),
            .. users.Select((user, number) => new SessionLoop(cluster, journal, [user], $"t{number}", seed + 100 + number, number % Stale).RunAsync(end.Token)),
            .. Enumerable.Range(0, DeliveryLoops).Select(number => new DeliveryLoop(cluster, journal, users, $"d{number}", seed + 500 + number).RunAsync(end.Token))]);
        await Task.Delay(Before, CancellationToken.None);

        var join = await cluster.Network.CutAsync([cluster.Directors[Stale].Host], cluster.Redis.Hosts);
        var cut = DateTime.UtcNow;
        Console.WriteLine($"{cluster.Directors[Stale].Name} reaches no Redis, and all users move");
        var (exitCode, printed, error) = await cluster.OrderAsync(Patience, "user", "move", "--all", "--from", from, "--to", to, "--rate", "20/s");
        await Task.Delay(After, CancellationToken.None);
        await join();
        var joined = DateTime.UtcNow;
        Console.WriteLine($"{cluster.Directors[Stale].Name} reaches Redis again");
        await Task.Delay(After, CancellationToken.None);
        await end.CancelAsync();
        await working;

        var stale = journal.Logins.Where(login => login.Director == cluster.Directors[Stale].Name && login.From > cut && login.To < joined).ToArray();
        var verdict = new Verdict();
        verdict.Figure("moved", printed.Trim());
        verdict.Figure("logins where Redis was not reached", $"{stale.Count(static login => login.Outcome == LoginOutcome.Ok)} of {stale.Length} let in, in {(joined - cut).TotalSeconds:F0} s");
        verdict.Invariant("the moves failed", exitCode == 0 ? [] : [$"{exitCode}: {printed}{error}"]);
        await new FinalCheck(cluster, journal, users).RunAsync(verdict);
        Console.WriteLine(verdict);
        return verdict.Holds;
    }
}
