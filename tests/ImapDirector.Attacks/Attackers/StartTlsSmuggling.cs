using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Commands put behind STARTTLS in the clear, to be carried out under the protection that comes after it.</summary>
internal sealed class StartTlsSmuggling(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly string Login = $"b LOGIN {AttackedServers.Mallory} \"{AttackedServers.MallorysPassword}\"\r\n";

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.ConnectAsync(Target.Director.Imap, Address(random));
        await wire.ReadLineAsync();
        var smuggled = random.Next(3) switch { 0 => Login, 1 => "b NOOP\r\n", _ => Login[..random.Next(1, Login.Length)] };
        await wire.SendAsync("a STARTTLS\r\n" + smuggled);
        if (!Wire.IsOk(await wire.ReadToAsync("a "))) return;
        await wire.StartTlsAsync();
        await wire.ThrowAsync("c CAPABILITY\r\n");
        if ((await wire.ReadToAsync("c ")).Split('\n').Any(static line => line.StartsWith("b ", StringComparison.Ordinal))) Violation("what was said in the clear is answered behind the handshake");
    }
}
