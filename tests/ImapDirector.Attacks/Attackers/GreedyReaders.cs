using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Users, and strangers, who ask for very much and read nothing of it.</summary>
internal sealed class GreedyReaders(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    protected override int Together => 30;

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        if (random.Next(3) == 0)
        {
            await using var stranger = await Wire.ConnectAsync(Target.Director.Imap, Address(random));
            await stranger.SendAsync(string.Concat(Enumerable.Repeat("a CAPABILITY\r\n", 90)));
            await PauseAsync(TimeSpan.FromSeconds(random.Next(1, 15)), stop);
            stranger.Reset();
            return;
        }
        await using var wire = await Wire.LogInAsync(Target.Director.Imap, Address(random), AttackedServers.Mallory, AttackedServers.MallorysPassword);
        if (wire is null) return;
        await wire.AskAsync("s SELECT INBOX");
        // Some megabytes of answers: what does not go into the sockets has to wait.
        var asking = wire.ThrowAsync(string.Concat(Enumerable.Range(0, 4000).Select(static command => $"f{command} FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\n")));
        await PauseAsync(TimeSpan.FromSeconds(random.Next(1, 20)), stop);
        wire.Reset();
        await asking.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
