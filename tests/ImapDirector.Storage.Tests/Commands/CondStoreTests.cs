using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>CONDSTORE and QRESYNC (RFC 7162).</summary>
public sealed class CondStoreTests
{
    /// <summary>Messages 1 to <paramref name="count"/> have the mod-sequences 2 to <paramref name="count"/> + 1.</summary>
    private static async Task<RunningNode> NodeWithMessagesAsync(int count)
    {
        var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        for (var i = 1; i <= count; i++) await client.AppendAsync("INBOX", $"Subject: {i}\r\n\r\nbody {i}\r\n");
        await client.OkAsync("SELECT INBOX");
        return node;
    }

    private static string Validity(List<string> select) => select.Single(static line => line.Contains("UIDVALIDITY", StringComparison.Ordinal)).Split(' ', ']')[3];

    [Fact]
    public async Task Mod_sequences_are_told_once_the_client_has_shown_that_it_wants_them()
    {
        await using var node = await NodeWithMessagesAsync(2);
        await ImapScript.RunAsync(node, """
            C: a EXAMINE INBOX
            S: * FLAGS ~
            S: * OK [PERMANENTFLAGS ()] ~
            S: * 2 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 1] ~
            S: * OK [UIDVALIDITY ~
            S: * OK [UIDNEXT 3] ~
            S: * OK [HIGHESTMODSEQ 3] ~
            S: * OK [MAILBOXID ~
            S: * OK [URLMECH ~
            S: a OK ~
            C2: a SELECT INBOX (CONDSTORE)
            S2: * FLAGS ~
            S2: * OK [PERMANENTFLAGS ~
            S2: * 2 EXISTS
            S2: * 0 RECENT
            S2: * OK [UNSEEN 1] ~
            S2: * OK [UIDVALIDITY ~
            S2: * OK [UIDNEXT 3] ~
            S2: * OK [HIGHESTMODSEQ 3] ~
            S2: * OK [MAILBOXID ~
            S2: * OK [URLMECH ~
            S2: a OK ~
            C2: b STORE 1 +FLAGS (\Seen)
            S2: * 1 FETCH (FLAGS (\Seen) MODSEQ (4))
            S2: b OK ~
            C2: c STORE 2 +FLAGS.SILENT (\Seen)
            S2: * 2 FETCH (MODSEQ (5))
            S2: c OK ~
            C2: d STORE 2 +FLAGS.SILENT (\Seen)
            S2: d OK ~
            C: b NOOP
            S: * 1 FETCH (FLAGS (\Seen))
            S: * 2 FETCH (FLAGS (\Seen))
            S: b OK ~
            C: c FETCH 1 (MODSEQ)
            S: * OK [HIGHESTMODSEQ 5] ~
            S: * 1 FETCH (MODSEQ (4))
            S: c OK ~
            C2: e UID STORE 2 -FLAGS (\Seen)
            S2: * 2 FETCH (UID 2 FLAGS () MODSEQ (6))
            S2: e OK ~
            C: d NOOP
            S: * 2 FETCH (FLAGS () MODSEQ (6))
            S: d OK ~
            C: e STATUS INBOX (HIGHESTMODSEQ)
            S: * STATUS INBOX (HIGHESTMODSEQ 6)
            S: e OK ~
            """);
    }

    [Fact]
    public async Task A_conditional_STORE_leaves_alone_what_was_changed_since_and_says_so()
    {
        await using var node = await NodeWithMessagesAsync(3);
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("STORE 2 +FLAGS (\\Flagged)");
        await ImapScript.RunAsync(client, """
            C: a STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\Seen)
            S: * OK [HIGHESTMODSEQ 5] ~
            S: * 1 FETCH (MODSEQ (6))
            S: * 3 FETCH (MODSEQ (6))
            S: a OK [MODIFIED 2] ~
            C: b UID STORE 1:3 (UNCHANGEDSINCE 5) +FLAGS (\Answered)
            S: * 2 FETCH (UID 2 FLAGS (\Answered \Flagged) MODSEQ (7))
            S: b OK [MODIFIED 1,3] ~
            C: c STORE 1 (UNCHANGEDSINCE 0) FLAGS ()
            S: c OK [MODIFIED 1] ~
            C: d SEARCH MODSEQ 7
            S: * SEARCH 2 (MODSEQ 7)
            S: d OK ~
            C: e SEARCH MODSEQ 8
            S: * SEARCH
            S: e OK ~
            C: f FETCH 1:* (FLAGS) (CHANGEDSINCE 6)
            S: * 2 FETCH (MODSEQ (7) FLAGS (\Answered \Flagged))
            S: f OK ~
            C: g FETCH 1:* (FLAGS) (CHANGEDSINCE 7 VANISHED)
            S: g BAD ~
            """);
    }

    [Fact]
    public async Task A_client_that_comes_back_is_told_what_vanished_and_what_changed()
    {
        await using var node = await NodeWithMessagesAsync(6);
        await using var client = await node.LogInAsync();
        var validity = Validity(await client.OkAsync("SELECT INBOX"));
        await client.OkAsync("STORE 2,4:5 +FLAGS (\\Deleted)");
        await client.OkAsync("EXPUNGE");
        await client.OkAsync("STORE 1 +FLAGS (\\Seen)");
        await ImapScript.RunAsync(node, $"""
            C: a SELECT INBOX (QRESYNC ({validity} 7))
            S: a BAD ~
            C: b ENABLE qresync X-UNKNOWN
            S: * ENABLED QRESYNC
            S: b OK ~
            C: c SELECT INBOX (QRESYNC ({validity} 7 1:6 (1:2 1:2)))
            S: * FLAGS ~
            S: * OK [PERMANENTFLAGS ~
            S: * 3 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 2] ~
            S: * OK [UIDVALIDITY {validity}] ~
            S: * OK [UIDNEXT 7] ~
            S: * OK [HIGHESTMODSEQ 10] ~
            S: * OK [MAILBOXID ~
            S: * OK [URLMECH ~
            S: * VANISHED (EARLIER) 2,4:5
            S: * 1 FETCH (UID 1 FLAGS (\Seen) MODSEQ (10))
            S: c OK ~
            C: d UID FETCH 4:6 (FLAGS) (CHANGEDSINCE 7 VANISHED)
            S: * VANISHED (EARLIER) 4:5
            S: d OK ~
            C: e SELECT INBOX (QRESYNC ({validity} 9 3:6))
            S: * OK [CLOSED] ~
            S: * FLAGS ~
            S: * OK [PERMANENTFLAGS ~
            S: * 3 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 2] ~
            S: * OK [UIDVALIDITY {validity}] ~
            S: * OK [UIDNEXT 7] ~
            S: * OK [HIGHESTMODSEQ 10] ~
            S: * OK [MAILBOXID ~
            S: * OK [URLMECH ~
            S: e OK ~
            C: f SELECT INBOX (QRESYNC (1 1))
            S: * OK [CLOSED] ~
            S: * FLAGS ~
            S: * OK [PERMANENTFLAGS ~
            S: * 3 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 2] ~
            S: * OK [UIDVALIDITY {validity}] ~
            S: * OK [UIDNEXT 7] ~
            S: * OK [HIGHESTMODSEQ 10] ~
            S: * OK [MAILBOXID ~
            S: * OK [URLMECH ~
            S: f OK ~
            """);
    }

    [Fact]
    public async Task With_QRESYNC_expunges_are_told_as_VANISHED_and_flags_with_their_UID()
    {
        await using var node = await NodeWithMessagesAsync(5);
        await using var watching = await node.LogInAsync();
        await watching.OkAsync("ENABLE QRESYNC");
        await watching.OkAsync("SELECT INBOX");
        await ImapScript.RunAsync(node, """
            C: a ENABLE QRESYNC CONDSTORE
            S: * ENABLED QRESYNC
            S: a OK ~
            C: b SELECT INBOX
            S: * FLAGS ~
            S: * OK [PERMANENTFLAGS ~
            S: * 5 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 1] ~
            S: * OK [UIDVALIDITY ~
            S: * OK [UIDNEXT 6] ~
            S: * OK [HIGHESTMODSEQ 6] ~
            S: * OK [MAILBOXID ~
            S: * OK [URLMECH ~
            S: b OK ~
            C: c STORE 1:2,4 +FLAGS.SILENT (\Deleted)
            S: * 1 FETCH (UID 1 MODSEQ (7))
            S: * 2 FETCH (UID 2 MODSEQ (7))
            S: * 4 FETCH (UID 4 MODSEQ (7))
            S: c OK ~
            C: d UID EXPUNGE 1,4
            S: * VANISHED 1,4
            S: d OK [HIGHESTMODSEQ 8] ~
            C: e MOVE 1 Trash
            S: * OK [COPYUID ~
            S: * VANISHED 2
            S: e OK [HIGHESTMODSEQ 9] ~
            C: f FETCH 1 (BODY[TEXT])
            S: * 1 FETCH (UID 3 FLAGS (\Seen) MODSEQ (10) BODY[TEXT] {8}
            S: body 3
            S: )
            S: f OK ~
            """);
        Assert.Equal(["* VANISHED 1:2,4", "* 1 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (10))"], await watching.OkAsync("NOOP"));
    }

    [Fact]
    public async Task Mod_sequences_and_what_vanished_outlive_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("node-");
        try
        {
            string validity;
            await using (var node = await RunningNode.StartAsync(directory: directory.FullName))
            {
                await using var client = await node.LogInAsync();
                for (var i = 1; i <= 3; i++) await client.AppendAsync("INBOX", "Subject: x\r\n\r\nx\r\n");
                validity = Validity(await client.OkAsync("SELECT INBOX"));
                await client.OkAsync("STORE 3 +FLAGS (\\Deleted)");
                await client.OkAsync("EXPUNGE");
            }
            await using var again = await RunningNode.StartAsync(directory: directory.FullName);
            await using var back = await again.LogInAsync();
            await back.OkAsync("ENABLE QRESYNC");
            var answer = await back.OkAsync($"SELECT INBOX (QRESYNC ({validity} 4))");
            Assert.Contains("* OK [HIGHESTMODSEQ 6] Highest.", answer);
            Assert.Contains("* VANISHED (EARLIER) 3", answer);
            await back.AppendAsync("INBOX", "Subject: y\r\n\r\ny\r\n");
            Assert.Contains("* 3 FETCH (UID 4 MODSEQ (7))", await back.OkAsync("UID FETCH 4 (MODSEQ)"));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
