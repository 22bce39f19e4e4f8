using ImapDirector.Attacks.Attackers;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks;

/// <summary>Everything that strangers and bad users do, all at once, at a director and a node as they are shipped; beside it two users who read their mail.</summary>
internal static class AttackRun
{
    public static async Task<AttackReport> RunAsync(TimeSpan time, int seed, string? only = null)
    {
        await using var target = await AttackedServers.StartAsync();
        Attacker[] attackers =
        [
            new SlowSenders(target, seed, 1), new HalfOpenTls(target, seed, 2), new Resets(target, seed, 3), new Oversized(target, seed, 4),
            new Injection(target, seed, 5), new StartTlsSmuggling(target, seed, 6), new Guessing(target, seed, 7), new BrokenSasl(target, seed, 8),
            new BrokenTls(target, seed, 9), new HttpAbuse(target, seed, 10), new LmtpAbuse(target, seed, 11), new CrossUser(target, seed, 12),
            new GreedyReaders(target, seed, 13), new BrokenAppends(target, seed, 14), new ParserTorture(target, seed, 15),
        ];
        if (only is not null)
        {
            attackers = [.. attackers.Where(attacker => attacker.Name == only)];
            if (attackers.Length == 0) throw new ArgumentException($"No attack is called {only}.", nameof(only));
        }
        HonestUser[] honest = [new(target, AttackedServers.Alice, 200), new(target, AttackedServers.Bob, 201)];
        using var end = new CancellationTokenSource(time);
        var memory = new ResourceWatch(target);
        await Task.WhenAll([memory.RunAsync(end.Token), .. attackers.Select(attacker => attacker.RunAsync(end.Token)), .. honest.Select(user => user.RunAsync(end.Token))]);
        await memory.CalmDownAsync();
        foreach (var user in honest) await user.CheckMailboxAsync();
        return new AttackReport(seed, time, attackers, honest, memory);
    }
}
