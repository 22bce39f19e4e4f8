using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>A user who wants what is another's.</summary>
internal sealed class CrossUser(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    private static readonly string[] Names =
    [
        $"Other Users/{AttackedServers.Alice}/INBOX", $"Other Users/{AttackedServers.Alice}", $"other users/{AttackedServers.Alice}/inbox", $"../{AttackedServers.Alice}/INBOX", $"user/{AttackedServers.Alice}", $"user.alice",
        $"~{AttackedServers.Alice}/INBOX", $"#user/{AttackedServers.Alice}/INBOX", $"Other Users/../{AttackedServers.Alice}/INBOX", $"Other Users//{AttackedServers.Alice}/INBOX", $"Shared Folders/{AttackedServers.Alice}/INBOX",
        $"Other Users/{AttackedServers.Mallory}/../{AttackedServers.Alice}/INBOX", $"Other Users/alice%40example.com/INBOX", $"Other Users/{AttackedServers.Alice}/", "/etc/passwd", $"Other Users/{AttackedServers.Alice}\u0000/INBOX",
    ];

    private static readonly string[] Commands =
    [
        "SELECT \"{0}\"", "EXAMINE \"{0}\"", "STATUS \"{0}\" (MESSAGES)", "GETACL \"{0}\"", "SETACL \"{0}\" mallory@example.com lrs", "RENAME \"{0}\" Mine", "DELETE \"{0}\"", "CREATE \"{0}/x\"", "COPY 1 \"{0}\"", "MOVE 1 \"{0}\"",
        "APPEND \"{0}\" {{3+}}\r\nabc", "GETMETADATA \"{0}\" /private/comment", "GETQUOTAROOT \"{0}\"", "LISTRIGHTS \"{0}\" mallory@example.com",
    ];

    private static readonly string[] Queries =
    [
        "LIST \"\" \"*\"", "LIST \"\" \"Other Users/*\"", "LSUB \"\" \"*\"", "LIST (SUBSCRIBED REMOTE) \"\" \"*\" RETURN (STATUS (MESSAGES))", "NAMESPACE", "ESEARCH IN (personal subtree \"Other Users\") TEXT only-alice", "SEARCH TEXT only-alice",
        "ESEARCH IN (mailboxes \"Other Users/alice@example.com/INBOX\") ALL", "URLFETCH \"imap://alice@example.com@localhost/INBOX/;uid=1;urlauth=anonymous:internal:91354a473744909de610943775f92038\"", "FETCH 1:* (BODY.PEEK[])",
        "NOTIFY SET (subtree \"Other Users\" (MessageNew MessageExpunge))", "GETQUOTA \"alice@example.com\"", "ID (\"x-originating-ip\" \"1.2.3.4\" \"x-user\" \"alice@example.com\")",
    ];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        await using var wire = await Wire.LogInAsync(Target.Director.Imap, Address(random), AttackedServers.Mallory, AttackedServers.MallorysPassword);
        if (wire is null) return;
        await wire.AskAsync("s SELECT INBOX");
        for (var i = 0; i < 30 && !stop.IsCancellationRequested; i++)
        {
            var isQuery = random.Next(3) == 0;
            var command = isQuery ? Queries[random.Next(Queries.Length)] : string.Format(System.Globalization.CultureInfo.InvariantCulture, Commands[random.Next(Commands.Length)], Names[random.Next(Names.Length)]);
            var answer = await wire.AskAsync($"q{i} {command}");
            if (answer.Contains(AttackedServers.SecretOf(AttackedServers.Alice), StringComparison.Ordinal)) Violation($"{command} tells alice's mail");
            // Anything else is a name like others among one's own. A quota's root may be asked of any name.
            if (!isQuery && Wire.IsOk(answer) && command.Contains("\"Other Users/", StringComparison.Ordinal) && !command.StartsWith("GETQUOTAROOT", StringComparison.Ordinal)) Violation($"{command} is carried out");
            if (answer.Length == 0) return;
        }
    }
}
