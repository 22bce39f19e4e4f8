using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>Every command on a mailbox of somebody else, with the rights that it needs (RFC 4314 section 4), with each of them missing, and with none. <c>l</c> is
/// needed everywhere: what may not be listed answers as what is not there.</summary>
public sealed class RightsMatrixTests
{
    private const string Message = "Subject: hello\r\n\r\n";

    private const string Literal = "{18+}\r\n" + Message;

    /// <summary>What is selected first (<c>$</c> the mailbox itself), the command, the rights it needs.</summary>
    public static TheoryData<string, string, string> Commands => new()
    {
        { "", "SELECT $", "lr" },
        { "", "EXAMINE $", "lr" },
        { "", "STATUS $ (MESSAGES UNSEEN SIZE)", "lr" },
        { "", "SUBSCRIBE $", "l" },
        { "", "MYRIGHTS $", "l" },
        { "", "GETACL $", "la" },
        { "", "LISTRIGHTS $ carol@example.com", "la" },
        { "", "SETACL $ carol@example.com lr", "la" },
        { "", "SETACL $ bob@example.com lrswipkxtea", "la" },
        { "", "DELETEACL $ -dave@example.com", "la" },
        { "", "GETMETADATA $ /shared/comment", "lr" },
        { "", "SETMETADATA $ (/shared/comment \"x\")", "lw" },
        { "", "GETQUOTAROOT $", "lr" },
        { "", $"APPEND $ {Literal}", "li" },
        { "", "CREATE $/child", "lk" },
        { "", "DELETE $", "lx" },
        { "", "RENAME $ \"Other Users/alice@example.com/below/moved\"", "lx" },
        { "", "RENAME \"Other Users/alice@example.com/below/a\" $/a", "lk" },
        { "INBOX", "COPY 1 $", "li" },
        { "INBOX", "MOVE 1 $", "li" },
        { "INBOX", $"REPLACE 1 $ {Literal}", "li" },
        { "$", "FETCH 1 BODY.PEEK[]", "lr" },
        { "$", "UID FETCH 1 (FLAGS ENVELOPE)", "lr" },
        { "$", "SEARCH TEXT hello", "lr" },
        { "$", "SORT (SUBJECT) UTF-8 ALL", "lr" },
        { "$", "THREAD REFERENCES UTF-8 ALL", "lr" },
        { "$", "COPY 1 INBOX", "lr" },
        { "$", @"STORE 1 +FLAGS (\Seen)", "lrs" },
        { "$", @"STORE 1 +FLAGS.SILENT (\Deleted)", "lrt" },
        { "$", @"UID STORE 1 -FLAGS (\Flagged)", "lrw" },
        { "$", "STORE 1 +FLAGS (keyword)", "lrw" },
        { "$", "EXPUNGE", "lre" },
        { "$", "UID EXPUNGE 1", "lre" },
        { "$", "MOVE 1 INBOX", "lrte" },
        { "$", "UID MOVE 1 Archive", "lrte" },
        { "$", $"REPLACE 1 INBOX {Literal}", "lrte" },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_command_is_done_with_its_rights_and_not_with_one_less(string selected, string command, string needed)
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await using (var warm = await node.LogInAsync("bob@example.com")) await warm.AppendAsync("INBOX", Message);
        await alice.OkAsync("CREATE below/a");
        await alice.OkAsync("SETACL below bob@example.com lk");
        await alice.OkAsync("SETACL below/a bob@example.com lx");

        var others = RightsText.Letters.Except(needed).Aggregate("", static (all, letter) => all + letter);
        foreach (var missing in needed)
        {
            var less = needed.Replace(missing.ToString(), "", StringComparison.Ordinal);
            await RefuseAsync(node, alice, selected, command, less, missing == 'l');
            await RefuseAsync(node, alice, selected, command, less + others, missing == 'l');
        }
        await RefuseAsync(node, alice, selected, command, "", isHidden: true);

        await MakeAsync(alice, needed);
        Assert.StartsWith("OK ", await RunAsync(node, selected, command, "box"), StringComparison.Ordinal);
    }

    private static async Task RefuseAsync(RunningNode node, ImapClient alice, string selected, string command, string rights, bool isHidden)
    {
        await MakeAsync(alice, rights);
        var before = await StateAsync(alice);
        var answer = await RunAsync(node, selected, command, "box");
        // One of somebody who has no such mailbox, and one of nobody: what is hidden tells nothing.
        if (isHidden) Assert.Equal((answer, answer), (await RunAsync(node, selected, command, "none"), await RunAsync(node, selected, command, "none", "nobody@example.com")));
        else Assert.Matches(@"^NO \[(NOPERM|READ-ONLY)\] ", answer);
        Assert.StartsWith("NO [", answer, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync(alice));
        await alice.OkAsync("DELETE box");
        await alice.OkAsync("SETACL below bob@example.com lk");
    }

    private static async Task MakeAsync(ImapClient alice, string rights)
    {
        await alice.OkAsync("CREATE box");
        await alice.AppendAsync("box", Message, @"(\Flagged) ");
        await alice.OkAsync("SETACL box -dave@example.com r");
        await alice.OkAsync($"SETACL box bob@example.com \"{rights}\"");
    }

    private static async Task<string> StateAsync(ImapClient alice) => string.Join('\n',
    [
        .. await alice.OkAsync("STATUS box (MESSAGES UNSEEN DELETED UIDNEXT HIGHESTMODSEQ)"),
        .. await alice.OkAsync("GETACL box"),
        .. await alice.OkAsync("GETMETADATA box /shared/comment"),
        .. await alice.OkAsync("LIST \"\" b*"),
    ]);

    private static async Task<string> RunAsync(RunningNode node, string selected, string command, string mailbox, string owner = RunningNode.User)
    {
        await using var bob = await node.LogInAsync("bob@example.com");
        string Named(string text)
        {
            var child = text.IndexOf("$/", StringComparison.Ordinal);
            if (child < 0) return text.Replace("$", $"\"Other Users/{owner}/{mailbox}\"", StringComparison.Ordinal);
            return $"{text[..child]}\"Other Users/{owner}/{mailbox}{text[(child + 1)..]}\"";
        }
        if (selected.Length > 0 && (await bob.CommandAsync("SELECT " + Named(selected)))[^1] is var select && !select.StartsWith("OK ", StringComparison.Ordinal)) return select;
        return (await bob.CommandAsync(Named(command)))[^1];
    }
}
