using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>A command that comes byte by byte and never ends.</summary>
internal sealed class SlowSenders(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    // LoginTimeout, and some more.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(80);

    protected override int Together => 200;

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.ConnectAsync(Target.Director.Imap, Address(random));
        var until = DateTime.UtcNow + Limit;
        await wire.SendAsync("a LOGIN ");
        while (!stop.IsCancellationRequested)
        {
            if (DateTime.UtcNow > until)
            {
                Violation("let in to say one byte after the other for longer than a login may take");
                return;
            }
            await wire.SendAsync("x");
            await PauseAsync(TimeSpan.FromMilliseconds(random.Next(500, 1500)), stop);
        }
    }
}
