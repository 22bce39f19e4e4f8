using ImapDirector.ClusterRun.Checks;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Machines;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Scenarios;

/// <summary>All users leave a node while they work, each in a session that is there all the time, and others besides; in the middle of it something is killed, and a
/// while later it runs again.</summary>
internal static class Evacuation
{
    private const int Users = 500, SessionLoops = 10, DeliveryLoops = 3;
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromMinutes(10);

    /// <param name="cluster">Where.</param>
    /// <param name="victim">What is killed: a node's or a director's name, <c>redis</c>, or <c>null</c> for nothing.</param>
    /// <param name="seed">What is random follows it.</param>
    /// <param name="stop">Ends it early.</param>
    public static async Task<bool> RunAsync(TestCluster cluster, string? victim, int seed, CancellationToken stop)
    {
        var (from, to) = (cluster.Nodes[0].Name, cluster.Nodes[1].Name);
        string[] users = [.. Enumerable.Range(0, Users).Select(static number => $"user{number}@example.com")];
        await cluster.AddUsersAsync(users, from);
        var journal = new Journal();
        await using var live = new LiveSessions(cluster, journal, comeBack: true);
        await live.OpenAsync(users, stop);
        Console.WriteLine($"{live.Count} of {Users} users have a session at {from}");

        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var working = Task.WhenAll([
            live.RunAsync(end.Token),
            .. Enumerable.Range(0, SessionLoops).Select(number => new SessionLoop(cluster, journal, users, $"s{number}", seed + number).RunAsync(end.Token)),
            .. Enumerable.Range(0, DeliveryLoops).Select(number => new DeliveryLoop(cluster, journal, users, $"d{number}", seed + 500 + number).RunAsync(end.Token))]);
        var (began, killing, orders) = (DateTime.UtcNow, victim is null ? Task.CompletedTask : null, 0);
        var order = OrderAsync();
        while (await LeftAsync() is var left && left > 0 && DateTime.UtcNow - began < Patience && !stop.IsCancellationRequested)
        {
            if (left < Users / 2) killing ??= KillAsync(cluster, victim!);
            if (order.IsCompleted) order = OrderAsync();
            await Task.Delay(1000, CancellationToken.None);
        }
        var took = DateTime.UtcNow - began;
        if (killing is not null) await killing;
        await order;
        await using var moves = await ClusterOperator.ConnectAsync(cluster);
        var unfinished = await moves.FinishAsync();
        await end.CancelAsync();
        await working;

        var verdict = new Verdict();
        verdict.Figure("evacuated", $"{Users} users in {took.TotalSeconds:F1} s, {orders} times ordered; killed in the middle: {victim ?? "nothing"}");
        verdict.Figure("users without a session for", Times(live.Gaps));
        verdict.Invariant($"users who had no session at {from}", Enumerable.Repeat("a user", Users - live.Count));
        verdict.Invariant("nothing was killed in the middle", killing is null ? ["it was over too soon"] : []);
        verdict.Invariant($"users not at {to}", Enumerable.Repeat("a user", await LeftAsync()));
        verdict.Invariant("moves that do not come to their end", unfinished);
        await new FinalCheck(cluster, journal, users).RunAsync(verdict);
        Console.WriteLine(verdict);
        return verdict.Holds;

        Task<(int ExitCode, string Printed, string Error)> OrderAsync()
        {
            orders++;
            return cluster.OrderAsync(Patience, "user", "move", "--all", "--from", from, "--to", to, "--rate", "20/s");
        }

        async Task<int> LeftAsync() => (await Task.WhenAll(users.Select(cluster.NodeOfAsync))).Count(node => node != to);
    }

    private static async Task KillAsync(TestCluster cluster, string victim)
    {
        Console.WriteLine($"{victim} is killed");
        if (victim == "redis") await cluster.Redis.KillAllAsync();
        else await Find().KillAsync();
        await Task.Delay(Away);
        if (victim == "redis") await cluster.Redis.StartMissingAsync();
        else await Find().StartAsync();
        Console.WriteLine($"{victim} runs again");

        ClusterProgram Find() => cluster.Nodes.Concat(cluster.Directors).Single(program => program.Name == victim);
    }

    private static string Times(IReadOnlyCollection<TimeSpan> gaps)
    {
        if (gaps.Count == 0) return "never";
        double[] seconds = [.. gaps.Select(static gap => gap.TotalSeconds).Order()];
        return $"{seconds[seconds.Length / 2]:F2} s in the middle, 95 of 100 less than {seconds[seconds.Length * 95 / 100]:F2} s, at most {seconds[^1]:F2} s; {seconds.Length} times";
    }
}
