using System.Text.RegularExpressions;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>The same commands to Dovecot and to the node: the same untagged data, status and response codes. Texts, UIDVALIDITY and the time it took
/// are left out; where we differ on purpose the command is not in this list but has a test of its own.</summary>
public sealed partial class DovecotComparisonTests
{
    private const string Plain = "Date: Mon, 5 Mar 2029 23:30:00 -0800\r\nFrom: Ann <ann@example.com>\r\nTo: Bob <bob@example.org>\r\nSubject: Weekly report\r\nMessage-Id: <1@example.com>\r\n\r\nThe figures are good.\r\n";

    private static readonly string[] Commands =
    [
        "SELECT INBOX",
        "FETCH 1:* FLAGS", "UID FETCH 1:* FLAGS", "SEARCH 1:*", "SEARCH 5", "STORE 1 +FLAGS (\\Seen)", "UID STORE 1 +FLAGS (\\Seen)", "COPY 1 Archive",
        "append", "append", "append", "append",
        "NOOP", "CHECK",
        "FETCH 1:4 (UID FLAGS RFC822.SIZE)", "FETCH 9 FLAGS", "FETCH 1:9 FLAGS", "FETCH 9:* FLAGS", "FETCH *:1 UID", "UID FETCH 9:* UID", "UID FETCH 2,9 UID",
        "FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "FETCH 1 BODY.PEEK[]<2.5>", "FETCH 1 BODY.PEEK[]<5000.5>", "FETCH 1 (BODY.PEEK[TEXT] BODY.PEEK[1])",
        "FETCH 1 BODY.PEEK[1.MIME]", "FETCH 1 RFC822.HEADER", "FETCH 1 (UID BODY.PEEK[TEXT]<4.7>)", "FETCH 1 ENVELOPE", "FETCH 1 BODY", "FETCH 1 BODYSTRUCTURE",
        "FETCH 2 BODY[TEXT]", "FETCH 2 BODY[TEXT]", "FETCH 3 RFC822", "FETCH 3 RFC822.TEXT",
        "STORE 1 FLAGS (\\Draft Word)", "STORE 1 +FLAGS (\\Seen)", "STORE 1 -FLAGS.SILENT (\\Draft)", "STORE 1 +FLAGS.SILENT (WORD)", "FETCH 1 FLAGS", "UID STORE 1 FLAGS ()",
        "STORE 1 FLAGS (\\Unknown)", "STORE 1 FLAGS (\\Recent)", "STORE 9 FLAGS ()", "STORE 0 FLAGS ()",
        "SEARCH ALL", "SEARCH UNSEEN", "SEARCH SEEN", "SEARCH RECENT", "SEARCH NEW", "SEARCH OLD", "SEARCH KEYWORD word", "SEARCH NOT SEEN", "SEARCH OR SEEN FLAGGED",
        "SEARCH 2:3", "SEARCH 3:100", "SEARCH UID 100:*", "UID SEARCH 2", "SEARCH SUBJECT report", "SEARCH FROM ann", "SEARCH TO nobody", "SEARCH BODY figures", "SEARCH BODY weekly",
        "SEARCH TEXT weekly", "SEARCH HEADER Message-Id \"\"", "SEARCH HEADER X-None \"\"", "SEARCH SENTON 5-Mar-2029", "SEARCH SENTSINCE 6-Mar-2029", "SEARCH LARGER 100", "SEARCH SMALLER 100",
        "SEARCH NONSENSE",
        "COPY 1:2 Archive", "COPY 9 Archive", "COPY 1 nowhere", "UID COPY 99 Archive", "MOVE 4 Archive", "UID MOVE 99 Archive",
        "STORE 1:2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1", "UID EXPUNGE 77", "EXPUNGE", "EXPUNGE",
        "STATUS Archive (MESSAGES RECENT UIDNEXT UNSEEN)", "STATUS INBOX (NONSENSE)",
        "CREATE INBOX", "CREATE a", "CREATE a", "CREATE a/b", "RENAME nowhere x", "RENAME a Archive", "RENAME a z", "LIST \"\" z*", "DELETE nowhere", "DELETE z/b", "DELETE z", "LIST \"\" z*",
        "UNSUBSCRIBE nowhere", "LIST \"\" \"\"", "LIST \"\" nowhere", "LSUB \"\" nowhere", "LIST \"\" inbox",
        "LIST (RECURSIVEMATCH) \"\" *",
        "EXAMINE Archive", "CLOSE", "FETCH 1 FLAGS", "CLOSE", "UNSELECT", "SELECT Archive", "UNSELECT",
        "NAMESPACE", "NONSENSE", "FETCH", "UID", "UID NONSENSE", "LOGIN a b",
        "SELECT Archive", "FETCH 1 (FLAGS", "FETCH 1 ()", "FETCH 1 NONSENSE", "FETCH x FLAGS", "FETCH 4294967296 FLAGS", "LOGOUT",
    ];

    [FactIfInstalled("dovecot")]
    public async Task The_node_answers_as_Dovecot_does()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        await using var node = await RunningNode.StartAsync();
        await using var theirs = await ImapClient.ConnectAsync(dovecot.EndPoint);
        await theirs.ReadLineAsync();
        await theirs.OkAsync("LOGIN compare x");
        await using var ours = await node.LogInAsync();

        var differences = new List<string>();
        foreach (var command in Commands)
        {
            var text = command == "append" ? $"APPEND INBOX {{{Plain.Length}+}}\r\n{Plain}" : command;
            var (expected, actual) = (Normalise(await theirs.CommandAsync(text)), Normalise(await ours.CommandAsync(text)));
            if (!expected.SequenceEqual(actual))
                differences.Add($"{command}\n  Dovecot: {string.Join(" | ", expected)}\n  we:      {string.Join(" | ", actual)}");
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static List<string> Normalise(List<string> lines) =>
        [.. lines.Where(static line => !line.StartsWith("* OK [HIGHESTMODSEQ", StringComparison.Ordinal) && !line.StartsWith("* OK [MAILBOXID", StringComparison.Ordinal))
            .Select(static line => line.StartsWith("OK [MAILBOXID", StringComparison.Ordinal) ? "OK" : line).Select(static line =>
        {
            var status = StatusPattern().Match(line);
            return status.Success ? Numbers().Replace(status.Value.TrimEnd(), "$1#") : line;
        })];

    // The status and its response code, without the text behind them.
    [GeneratedRegex(@"^(\* )?(OK|NO|BAD|BYE)( \[[^\]]*\])?")]
    private static partial Regex StatusPattern();

    [GeneratedRegex(@"((UIDVALIDITY|APPENDUID|COPYUID) )\d+")]
    private static partial Regex Numbers();
}
