using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>A mail server that hands in second messages within messages, too many recipients, sizes that overflow, and nothing for a long time.</summary>
internal sealed class LmtpAbuse(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly string[] Ends = ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r", "\r\n\0.\r\n", "\r\n.\0\r\n", "\r.\r\n"];

    private static readonly string[] Sizes = ["18446744073709551616", "-1", "9223372036854775807", "4294967295", "1 2 3", "LAST", "99999999999"];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.ConnectAsync(Target.Director.Lmtp, new([127, 0, 0, 1]));
        await wire.ReadLineAsync();
        await wire.SendAsync("LHLO x\r\n");
        await wire.ReadToAsync("250 ");
        await wire.SendAsync("MAIL FROM:<x@example.net>\r\n");
        await wire.ReadLineAsync();
        switch (random.Next(5))
        {
            case 0:
                await SmuggleAsync(wire, Ends[random.Next(Ends.Length)]);
                break;
            case 1:
                await wire.ThrowAsync(string.Concat(Enumerable.Range(0, 30).Select(static recipient => $"RCPT TO:<nobody{recipient}@example.com>\r\n")) + "QUIT\r\n");
                if ((await wire.ReadToEndAsync()).Split('\n').Any(static line => line.StartsWith("250", StringComparison.Ordinal))) Violation("a recipient whom nobody knows is taken");
                break;
            case 2:
                await wire.SendAsync($"RCPT TO:<{AttackedServers.Mallory}>\r\n");
                await wire.ReadLineAsync();
                var size = Sizes[random.Next(Sizes.Length)];
                await wire.ThrowAsync($"BDAT {size}\r\nQUIT\r\n");
                if (await wire.ReadLineAsync() is { } line && line.StartsWith('2')) Violation($"taken: {line}");
                break;
            case 3:
                await wire.ThrowAsync("RCPT TO:<" + new string('x', random.Next(100, 100_000)) + "\r\n");
                break;
            default:
                await wire.SendAsync($"RCPT TO:<{AttackedServers.Mallory}>\r\nDATA\r\nSubject: half\r\n\r\n{RandomText(random, 5000).Replace('\r', ' ').Replace('\n', ' ')}");
                await PauseAsync(TimeSpan.FromSeconds(random.Next(5)), stop);
                wire.Reset();
                break;
        }
    }

    // One message for mallory, in which there is another for alice.
    private async Task SmuggleAsync(Wire wire, string end)
    {
        await wire.SendAsync($"RCPT TO:<{AttackedServers.Mallory}>\r\n");
        await wire.ReadLineAsync();
        await wire.SendAsync("DATA\r\n");
        await wire.ReadLineAsync();
        await wire.ThrowAsync($"Subject: outer\r\n\r\ntext{end}MAIL FROM:<x@example.net>\r\nRCPT TO:<{AttackedServers.Alice}>\r\nDATA\r\nSubject: smuggled\r\n\r\ntext\r\n.\r\nQUIT\r\n");
        var replies = (await wire.ReadToEndAsync()).Split('\n').Count(static line => line.StartsWith("250", StringComparison.Ordinal));
        if (replies > 1) Violation($"{replies} times 250 for one message");
    }
}
