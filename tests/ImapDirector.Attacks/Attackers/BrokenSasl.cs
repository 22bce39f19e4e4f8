using System.Text;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Exchanges that are broken off, or that are none.</summary>
internal sealed class BrokenSasl(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly string[] Mechanisms = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER", "XOAUTH2", "EXTERNAL", "ANONYMOUS", "CRAM-MD5", "GSSAPI", "X", ""];

    private static readonly string[] Words =
    [
        "*", "=", "", "====", "AGE", "AGEAYg==\t", "AA AA", "\u00ff", Encode("\0\0"), Encode("\0\0\0\0"), Encode("n,,n=alice@example.com,r=x"), Encode("y,,n=a,r="), Encode("p=tls-exporter,,n=a,r=b"),
        Encode("c=biws,r=x,p=AAAA"), Encode("n,a=bob@example.com,n=alice@example.com,r=x"), Encode("n,,\u0001auth=Bearer eyJhbGciOiJub25lIn0.e30.\u0001\u0001"), Encode("alice@example.com"), Encode(new string('x', 4000)),
    ];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.ConnectAsync(Target.Director.Imap, Address(random));
        await wire.ReadLineAsync();
        var mechanism = Mechanisms[random.Next(Mechanisms.Length)];
        await wire.SendAsync($"a AUTHENTICATE {mechanism}{(random.Next(2) == 0 ? " " + Word(random) : "")}\r\n");
        for (var i = 0; i < 6; i++)
        {
            if (await wire.ReadLineAsync() is not { } line) return;
            if (line.StartsWith("a OK", StringComparison.Ordinal)) Violation($"let in by {mechanism}");
            if (line.StartsWith("a ", StringComparison.Ordinal)) return;
            if (random.Next(8) == 0)
            {
                wire.Reset();
                return;
            }
            if (line.StartsWith('+')) await wire.ThrowAsync(Word(random) + "\r\n");
        }
    }

    private static string Word(Random random) => Words[random.Next(Words.Length)];

    private static string Encode(string text) => Convert.ToBase64String(Encoding.Latin1.GetBytes(text));
}
