using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Connections that end with a reset, wherever they are.</summary>
internal sealed class Resets(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly string[] Beginnings = ["", "a", "a NOOP\r\n", "a CAPABILITY\r\nb CAPABILITY\r\n", "a STARTTLS\r\n", "a AUTHENTICATE PLAIN\r\n", "a LOGIN {4}\r\n", "a LOGOUT\r\n"];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.ConnectAsync(random.Next(3) == 0 ? Target.Director.Imaps : Target.Director.Imap, Address(random));
        await wire.SendAsync(Beginnings[random.Next(Beginnings.Length)]);
        await PauseAsync(TimeSpan.FromMilliseconds(random.Next(15)), stop);
        wire.Reset();
    }
}
