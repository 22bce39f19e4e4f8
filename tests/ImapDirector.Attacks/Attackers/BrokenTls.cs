using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Records that are none.</summary>
internal sealed class BrokenTls(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(25);

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.ConnectAsync(Target.Director.Imaps, Address(random));
        var length = random.Next(1, 3000);
        await wire.ThrowAsync(random.Next(4) switch
        {
            0 => RandomText(random, length),
            1 => $"\u0016\u0003\u0001{(char)(length >> 8)}{(char)(length & 255)}" + RandomText(random, length),
            2 => $"\u0016\u0003\u0001{(char)(length >> 8)}{(char)(length & 255)}\u0001\u0000{(char)((length - 4 >> 8) & 255)}{(char)(length - 4 & 255)}\u0003\u0003" + RandomText(random, length),
            _ => "\u0016\u0003\u0001\u00ff\u00ff" + RandomText(random, 65_535),
        });
        if (!await wire.IsClosedWithinAsync(Limit)) Violation("what is no handshake is not closed");
    }
}
