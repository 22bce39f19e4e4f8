using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Commands that are written to take long, or to go deep.</summary>
internal sealed class ParserTorture(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly string[] Commands =
    [
        "FETCH " + string.Join(',', Enumerable.Range(1, 9000).Select(static uid => uid * 2)) + " FLAGS", "UID FETCH 1:4294967295 (FLAGS)", "FETCH 4294967296 FLAGS", "FETCH 0 FLAGS",
        "SEARCH " + string.Concat(Enumerable.Repeat("NOT ", 5000)) + "ALL", "SEARCH " + new string('(', 5000) + "ALL" + new string(')', 5000), "SEARCH " + string.Concat(Enumerable.Repeat("OR ALL ", 3000)) + "ALL",
        "SEARCH " + string.Join(' ', Enumerable.Repeat("TEXT xxxxxxxxxxxxxxxx", 2000)), "LIST \"\" \"" + string.Concat(Enumerable.Repeat("*%", 2000)) + "x\"", "LIST \"\" (" + string.Join(' ', Enumerable.Repeat("*", 5000)) + ")",
        "CREATE " + string.Join('/', Enumerable.Repeat("a", 2000)), "CREATE " + new string('m', 60_000), "CREATE &" + new string('A', 3000) + "-", "STORE 1 +FLAGS (" + string.Join(' ', Enumerable.Range(0, 5000).Select(static keyword => $"k{keyword}")) + ")",
        "SORT (" + string.Join(' ', Enumerable.Repeat("SUBJECT", 3000)) + ") UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "FETCH 1 (" + string.Join(' ', Enumerable.Range(1, 3000).Select(static part => $"BODY.PEEK[{part}.{part}.{part}]")) + ")",
        "FETCH 1 BODY[" + string.Join('.', Enumerable.Repeat("1", 5000)) + "]", "FETCH 1 BODY[HEADER.FIELDS (" + string.Join(' ', Enumerable.Repeat("Subject", 5000)) + ")]", "SETMETADATA \"\" (/private/comment {1000000}", "ENABLE " + string.Join(' ', Enumerable.Repeat("X", 10_000)),
        "COMPRESS DEFLATE", "SETACL INBOX " + new string('i', 5000) + " lr", "GENURLAUTH \"" + new string('u', 20_000) + "\" INTERNAL", new string('x', 70_000),
    ];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.LogInAsync(Target.Director.Imap, Address(random), AttackedServers.Mallory, AttackedServers.MallorysPassword);
        if (wire is null) return;
        await wire.AskAsync("s SELECT INBOX");
        for (var i = 0; i < 10 && !stop.IsCancellationRequested; i++)
        {
            var command = Commands[random.Next(Commands.Length)];
            await wire.ThrowAsync($"p{i} {command}\r\n");
            if (command.EndsWith('}'))
            {
                await wire.ReadLineAsync();
                return;
            }
            var answer = await wire.ReadToAsync($"p{i} ");
            if (answer.Length == 0 || command == "COMPRESS DEFLATE" || answer.Contains("* BYE", StringComparison.Ordinal)) return;
        }
    }
}
