using ImapDirector.ClusterRun.Checks;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Scenarios;

/// <summary>All of Redis is away for a while: what running sessions see, who can still log in, and how soon everybody can afterwards.</summary>
internal static class RedisAway
{
    private const int Known = 60, Unknown = 60, Live = 60;

    public static async Task<bool> RunAsync(TestCluster cluster, TimeSpan time, CancellationToken stop)
    {
        string[] known = [.. Enumerable.Range(0, Known).Select(static number => $"known{number}@example.com")], unknown = [.. Enumerable.Range(0, Unknown).Select(static number => $"unknown{number}@example.com")];
        await cluster.AddUsersAsync(known.Concat(unknown));
        var (before, during, after) = (new Journal(), new Journal(), new Journal());
        await using var live = new LiveSessions(cluster, before, comeBack: false);
        await live.OpenAsync(known.Take(Live), stop);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = live.RunAsync(end.Token);

        await cluster.Redis.KillAllAsync();
        Console.WriteLine($"{live.Count} sessions run, and Redis is away for {time.TotalSeconds:F0} s");
        await LogInAgainAsync(cluster, during, known, unknown, DateTime.UtcNow + time, stop);
        await cluster.Redis.StartMissingAsync();
        var back = DateTime.UtcNow;
        Console.WriteLine("Redis accepts connections again");
        await LogInAgainAsync(cluster, after, known, unknown, back + TimeSpan.FromSeconds(20), stop);
        await end.CancelAsync();
        await running;

        var verdict = new Verdict();
        verdict.Figure("commands of running sessions answered", $"{live.Answered}");
        foreach (var (kind, name) in new[] { (0, "users known to this director"), (1, "users known to another director"), (2, "users nobody knows") })
        {
            var logins = during.Logins.Where(login => KindOf(login) == kind).ToArray();
            verdict.Figure($"logins of {name}", $"{logins.Count(IsOk)} of {logins.Length}, the longest {logins.Max(static login => (login.To - login.From).TotalSeconds):F2} s");
        }
        foreach (var director in cluster.Directors)
            verdict.Figure($"{director.Name} recovered after", after.Logins.Where(login => login.Director == director.Name && KindOf(login) != 0 && IsOk(login)).OrderBy(static login => login.To).FirstOrDefault() is { } first
                ? $"{(first.To - back).TotalSeconds:F1} s" : "never");
        verdict.Figure("last login that failed", after.Logins.Where(static login => !IsOk(login)).OrderBy(static login => login.To).LastOrDefault() is { } last ? $"{(last.To - back).TotalSeconds:F1} s after it was back" : "none");
        verdict.Invariant("running sessions that ended", Enumerable.Repeat("a session ended", live.Lost + Live - live.Count));
        verdict.Invariant("logins without assignment that were guessed", during.Logins.Where(login => KindOf(login) == 2 && IsOk(login)).Select(static login => login.User));
        verdict.Invariant("refusals that blame the client", during.Logins.Where(static login => login.Outcome is not (LoginOutcome.Ok or LoginOutcome.Unavailable)).Select(static login => $"{login.User}: {login.Outcome} {login.Text}"));
        Console.WriteLine(verdict);
        return verdict.Holds;

        // A user was at the director of the user's number before.
        int KindOf(LoginRecord login) => login.User[0] == 'u' ? 2 : login.Director == cluster.Directors[Array.IndexOf(known, login.User) % cluster.Directors.Count].Name ? 0 : 1;
    }

    private static bool IsOk(LoginRecord login) => login.Outcome == LoginOutcome.Ok;

    /// <summary>Twenty logins a second, of everybody at all directors, and out again.</summary>
    private static async Task LogInAgainAsync(TestCluster cluster, Journal journal, string[] known, string[] unknown, DateTime until, CancellationToken stop)
    {
        var running = new List<Task>();
        for (var number = 0; DateTime.UtcNow < until && !stop.IsCancellationRequested; number++)
        {
            running.Add(InAndOutAsync(number % 4 == 0 ? unknown[number / 4 % Unknown] : known[number % Known], number / 4 % cluster.Directors.Count));
            await Task.Delay(50, CancellationToken.None);
        }
        await Task.WhenAll(running);

        async Task InAndOutAsync(string user, int director)
        {
            if (await SessionLoop.LogInAsync(cluster, journal, user, director) is { } open) await open.Client.DisposeAsync();
        }
    }
}
