using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>A handshake that is begun and not gone on with, on both ports.</summary>
internal sealed class HalfOpenTls(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    // HandshakeTimeout, and some more.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(25);

    protected override int Together => 200;

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        var isBehindStartTls = random.Next(2) == 0;
        await using var wire = await Wire.ConnectAsync(isBehindStartTls ? Target.Director.Imap : Target.Director.Imaps, Address(random));
        if (isBehindStartTls)
        {
            await wire.ReadLineAsync();
            await wire.AskAsync("a STARTTLS");
        }
        await wire.SendAsync("\u0016\u0003\u0001\u0002\u0000\u0001\u0000"[..random.Next(1, 7)]);
        if (!await wire.IsClosedWithinAsync(Limit)) Violation("half a handshake is not closed");
    }
}
