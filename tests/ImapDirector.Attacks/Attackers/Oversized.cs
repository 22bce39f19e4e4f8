using System.Text;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>More than there is room for, in every place that a stranger can fill.</summary>
internal sealed class Oversized(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    // Nothing that a stranger is told is longer, with everything that a hundred commands bring.
    private const int MostAnswer = 128 << 10;

    private static readonly string[] Payloads =
    [
        "a LOGIN " + new string('x', 9000) + " y\r\n",
        new string('x', 8 << 20),
        new string('a', 5000) + " NOOP\r\n",
        "a LOGIN {4294967296}\r\n",
        "a LOGIN {99999999999999999999}\r\n",
        "a LOGIN {1025}\r\n",
        "a LOGIN {1025+}\r\n" + new string('x', 1025) + " y\r\n",
        "a LOGIN {-1}\r\n",
        "a LOGIN x {1024+}\r\n" + new string('x', 1024) + " {1024+}\r\n" + new string('x', 1024) + "\r\n",
        "a ID (" + string.Join(' ', Enumerable.Repeat("\"k\" \"v\"", 31)) + ")\r\n",
        "a ID (\"name\" \"" + new string('v', 1025) + "\")\r\n",
        "a ID " + new string('(', 4000) + "\r\n",
        "a AUTHENTICATE PLAIN " + Convert.ToBase64String(new byte[7000]) + "\r\n",
        "a AUTHENTICATE PLAIN\r\n" + Convert.ToBase64String(new byte[9000]) + "\r\n",
        "a AUTHENTICATE SCRAM-SHA-256 " + Convert.ToBase64String(Encoding.ASCII.GetBytes("n,,n=" + new string('u', 5000) + ",r=abc")) + "\r\n",
        string.Concat(Enumerable.Range(1, 150).Select(static number => $"n{number} NOOP\r\n")),
        string.Concat(Enumerable.Range(1, 150).Select(static number => $"n{number} CAPABILITY\r\n")),
        string.Concat(Enumerable.Range(1, 20).Select(static number => $"b{number} WHAT\r\n")),
        new string('\n', 100_000),
        string.Concat(Enumerable.Repeat("\0\u00ff\r", 50_000)),
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        var payload = Payloads[random.Next(Payloads.Length)];
        await using var wire = await Wire.ConnectAsync(Target.Director.Imap, Address(random));
        await wire.ReadLineAsync();
        await wire.ThrowAsync(payload + "z LOGOUT\r\n");
        var answer = await wire.ReadToEndAsync();
        if (answer.Length > MostAnswer) Violation($"{answer.Length} bytes of answer to {payload[..Math.Min(20, payload.Length)]}");
        foreach (var line in answer.Split('\n'))
        {
            if (line.StartsWith("a OK", StringComparison.Ordinal)) Violation($"taken: {payload[..Math.Min(40, payload.Length)]}");
            if (line.StartsWith("+ ", StringComparison.Ordinal) && payload.Contains('{')) Violation($"asked to go on: {payload[..Math.Min(40, payload.Length)]}");
            if (line.Contains(new string('x', 100), StringComparison.Ordinal)) Violation($"said back: {payload[..Math.Min(40, payload.Length)]}");
        }
    }
}
