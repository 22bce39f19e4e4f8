using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Messages that are promised and do not come, or are larger than any may be.</summary>
internal sealed class BrokenAppends(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.LogInAsync(Target.Director.Imap, Address(random), AttackedServers.Mallory, AttackedServers.MallorysPassword);
        if (wire is null) return;
        await wire.AskAsync("c CREATE Broken");
        var status = await wire.AskAsync("s STATUS Broken (MESSAGES)");
        if (Wire.IsOk(status) && !status.Contains("MESSAGES 0)", StringComparison.Ordinal)) Violation("a message that was not sent is there");
        switch (random.Next(3))
        {
            case 0:
                await wire.SendAsync("a APPEND Broken {9999999999}\r\n");
                if (await wire.ReadLineAsync() is { } line && line.StartsWith('+')) Violation($"asked to send ten gigabytes: {line}");
                break;
            case 1:
                await wire.SendAsync("a APPEND Broken {5000000}\r\n");
                await wire.ReadLineAsync();
                await wire.ThrowAsync(RandomText(random, random.Next(1_000_000)));
                await PauseAsync(TimeSpan.FromSeconds(random.Next(3)), stop);
                wire.Reset();
                break;
            default:
                await wire.ThrowAsync($"a APPEND Broken {{10+}}\r\n123456");
                wire.Reset();
                break;
        }
    }
}
