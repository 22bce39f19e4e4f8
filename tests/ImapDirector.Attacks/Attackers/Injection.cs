using System.Text;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Names and passwords that are commands for whatever may be behind: IMAP, Redis, LDAP, SQL, HTTP, a log, a file system.</summary>
internal sealed class Injection(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private const string Marker = "INJECTED";

    private static readonly string[] Texts =
    [
        $"{AttackedServers.Alice}\r\n* OK {Marker}\r\nb NOOP", $"{AttackedServers.Alice}\n{Marker}", $"{AttackedServers.Alice}\0", $"\0{AttackedServers.Alice}", $"{AttackedServers.Alice}\" OK {Marker}",
        $"*)(uid=*))(|(uid=*", "{" + AttackedServers.Alice + "}:account", $"{AttackedServers.Alice}\tuser={AttackedServers.Bob}", "%s%s%s%n%u%d", "../../etc/passwd", "..", ".", "/", "a/../../b@example.com",
        "' OR '1'='1", $"\r\n*1\r\n$8\r\nFLUSHALL\r\n", $"{AttackedServers.Alice}\u00e9", "\u00e2\u0080\u00ae@example.com", $"{AttackedServers.Alice}.", $" {AttackedServers.Alice}", $"{AttackedServers.Alice} ",
        $"{AttackedServers.Alice}*{AttackedServers.Mallory}", "alice@example.com@example.com", "@example.com", "alice@", "", new string('a', 300) + "@example.com", "\u001b[2J\u001b]0;x\u0007",
    ];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        var (name, password) = (Texts[random.Next(Texts.Length)], random.Next(2) == 0 ? "x" : Texts[random.Next(Texts.Length)]);
        await using var wire = await Wire.ConnectAsync(Target.Director.Imap, Address(random));
        await wire.ReadLineAsync();
        await wire.ThrowAsync(random.Next(4) switch
        {
            0 => $"a LOGIN {{{name.Length}+}}\r\n{name} {{{password.Length}+}}\r\n{password}\r\n",
            1 => $"a LOGIN \"{name}\" \"{password}\"\r\n",
            2 => $"a AUTHENTICATE PLAIN {Convert.ToBase64String(Encoding.Latin1.GetBytes($"\0{name}\0{password}"))}\r\n",
            // To be alice, in the name of mallory, whose password is right.
            _ => $"a AUTHENTICATE PLAIN {Convert.ToBase64String(Encoding.Latin1.GetBytes($"{(random.Next(2) == 0 ? AttackedServers.Alice : name)}\0{AttackedServers.Mallory}\0{AttackedServers.MallorysPassword}"))}\r\n",
        });
        var answer = await wire.ReadToAsync("a ");
        // Without an authorization identity mallory is herself.
        if (Wire.IsOk(answer) && name.Length > 0) Violation($"let in as {name}");
        if (answer.Contains(Marker, StringComparison.Ordinal)) Violation($"said back: {answer}");
    }
}
