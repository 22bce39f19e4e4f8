using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>Several sessions of one user on one mailbox.</summary>
public sealed class SharedViewTests
{
    private static async Task<RunningNode> NodeWithMessagesAsync(int count)
    {
        var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        for (var i = 1; i <= count; i++) await client.AppendAsync("INBOX", $"Subject: {i}\r\n\r\nbody {i}\r\n");
        // Takes \Recent away, so that the scripts need not mention it.
        await client.OkAsync("SELECT INBOX");
        return node;
    }

    [Fact]
    public async Task A_flag_change_is_told_to_the_others_at_their_next_command()
    {
        await using var node = await NodeWithMessagesAsync(3);
        await ImapScript.RunAsync(node, """
            C: a SELECT INBOX
            S: * FLAGS ~
            S: * OK [PERMANENTFLAGS ~
            S: * 3 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 1] ~
            S: * OK [UIDVALIDITY ~
            S: * OK [UIDNEXT 4] ~
            S: * OK [HIGHESTMODSEQ ~
            S: * OK [MAILBOXID ~
            S: * OK [URLMECH ~
            S: a OK ~
            C2: a EXAMINE INBOX
            S2: * FLAGS ~
            S2: * OK [PERMANENTFLAGS ()] ~
            S2: * 3 EXISTS
            S2: * 0 RECENT
            S2: * OK [UNSEEN 1] ~
            S2: * OK [UIDVALIDITY ~
            S2: * OK [UIDNEXT 4] ~
            S2: * OK [HIGHESTMODSEQ ~
            S2: * OK [MAILBOXID ~
            S2: * OK [URLMECH ~
            S2: a OK [READ-ONLY] ~
            C: b STORE 2 +FLAGS (\Seen $Later)
            S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Later)
            S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Later \*)] ~
            S: * 2 FETCH (FLAGS (\Seen $Later))
            S: b OK ~
            C: c NOOP
            S: c OK ~
            C2: b NOOP
            S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Later)
            S2: * OK [PERMANENTFLAGS ()] ~
            S2: * 2 FETCH (FLAGS (\Seen $Later))
            S2: b OK ~
            C2: c NOOP
            S2: c OK ~
            """);
    }

    [Fact]
    public async Task Expunges_wait_until_message_numbers_may_change()
    {
        await using var node = await NodeWithMessagesAsync(4);
        await using var first = await node.LogInAsync();
        await using var second = await node.LogInAsync();
        await first.OkAsync("SELECT INBOX");
        await second.OkAsync("SELECT INBOX");
        await first.OkAsync("STORE 2:3 +FLAGS.SILENT (\\Deleted)");
        Assert.Equal(["* 3 EXPUNGE", "* 2 EXPUNGE"], await first.OkAsync("EXPUNGE"));

        await ImapScript.RunAsync(second, """
            C: a FETCH 4 (UID)
            S: * 4 FETCH (UID 4)
            S: a OK ~
            C: b SEARCH ALL
            S: * SEARCH 1 4
            S: b OK ~
            C: c STORE 1 +FLAGS (\Flagged)
            S: * 1 FETCH (FLAGS (\Flagged))
            S: c OK ~
            C: d FETCH 2:4 (UID)
            S: * 4 FETCH (UID 4)
            S: d OK [EXPUNGEISSUED] ~
            C: e COPY 2 Archive
            S: * 3 EXPUNGE
            S: * 2 EXPUNGE
            S: e NO [EXPUNGEISSUED] ~
            C: f UID FETCH 1:* (UID)
            S: * 1 FETCH (UID 1)
            S: * 2 FETCH (UID 4)
            S: f OK ~
            C: g STATUS Archive (MESSAGES)
            S: * STATUS Archive (MESSAGES 0)
            S: g OK ~
            """);
    }

    [Fact]
    public async Task New_messages_are_told_after_the_expunges_and_with_the_number_they_leave()
    {
        await using var node = await NodeWithMessagesAsync(3);
        await using var first = await node.LogInAsync();
        await using var second = await node.LogInAsync();
        await second.OkAsync("SELECT INBOX");
        await first.OkAsync("SELECT INBOX");
        await first.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await first.OkAsync("EXPUNGE");
        await first.AppendAsync("INBOX", "Subject: new\r\n\r\n");

        // The first session was told of it with its own APPEND, so it alone has it as \Recent.
        Assert.Equal(["* 1 EXPUNGE", "* 3 EXISTS"], await second.OkAsync("NOOP"));
        Assert.Equal(["* 1 FETCH (UID 2 FLAGS ())", "* 2 FETCH (UID 3 FLAGS ())", "* 3 FETCH (UID 4 FLAGS ())"], await second.OkAsync("FETCH 1:* (UID FLAGS)"));
        Assert.Equal(["* 3 FETCH (FLAGS (\\Recent))"], await first.OkAsync("FETCH 3 FLAGS"));
    }

    [Fact]
    public async Task A_message_that_came_and_went_unseen_is_never_told_of()
    {
        await using var node = await NodeWithMessagesAsync(1);
        await using var first = await node.LogInAsync();
        await using var second = await node.LogInAsync();
        await first.OkAsync("SELECT INBOX");
        await second.OkAsync("SELECT INBOX");
        await first.AppendAsync("INBOX", "Subject: short-lived\r\n\r\n", "(\\Deleted) ");
        await first.OkAsync("EXPUNGE");

        Assert.Empty(await second.OkAsync("NOOP"));
        Assert.Equal(["* 1 FETCH (UID 1)"], await second.OkAsync("FETCH 1:* UID"));
    }

    [Fact]
    public async Task A_silent_store_still_tells_of_what_another_session_changed()
    {
        await using var node = await NodeWithMessagesAsync(1);
        await using var first = await node.LogInAsync();
        await using var second = await node.LogInAsync();
        await first.OkAsync("SELECT INBOX");
        await second.OkAsync("SELECT INBOX");
        await second.OkAsync("STORE 1 +FLAGS.SILENT (\\Flagged)");

        Assert.Equal(["* 1 FETCH (FLAGS (\\Flagged \\Seen))"], await first.OkAsync("STORE 1 +FLAGS.SILENT (\\Seen)"));
        Assert.Empty(await first.OkAsync("STORE 1 +FLAGS.SILENT (\\Draft)"));
    }

    [Fact]
    public async Task Idle_tells_at_once_of_new_mail_flags_and_expunges()
    {
        await using var node = await NodeWithMessagesAsync(2);
        await using var idler = await node.LogInAsync();
        await using var other = await node.LogInAsync();
        await idler.OkAsync("SELECT INBOX");
        await other.OkAsync("SELECT INBOX");
        await idler.SendLineAsync("i IDLE");
        Assert.Equal("+ idling", await idler.ReadLineAsync());

        await other.OkAsync("STORE 2 +FLAGS (\\Deleted)");
        Assert.Equal("* 2 FETCH (FLAGS (\\Deleted))", await idler.ReadLineAsync());
        await other.OkAsync("EXPUNGE");
        Assert.Equal("* 2 EXPUNGE", await idler.ReadLineAsync());
        await using var third = await node.LogInAsync();
        await third.AppendAsync("INBOX", "Subject: new\r\n\r\n");
        Assert.Equal("* 2 EXISTS", await idler.ReadLineAsync());
        Assert.Equal("* 1 RECENT", await idler.ReadLineAsync());

        await idler.SendLineAsync("done");
        Assert.StartsWith("i OK ", await idler.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Idle_begins_with_what_is_still_to_be_told()
    {
        await using var node = await NodeWithMessagesAsync(1);
        await using var idler = await node.LogInAsync();
        await using var other = await node.LogInAsync();
        await idler.OkAsync("SELECT INBOX");
        await other.AppendAsync("INBOX", "Subject: new\r\n\r\n");
        await idler.SendLineAsync("i IDLE");
        Assert.Equal("+ idling", await idler.ReadLineAsync());
        Assert.Equal("* 2 EXISTS", await idler.ReadLineAsync());
        Assert.Equal("* 1 RECENT", await idler.ReadLineAsync());
        await idler.SendLineAsync("nonsense");
        Assert.StartsWith("i BAD ", await idler.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Empty(await idler.OkAsync("NOOP"));
    }

    [Fact]
    public async Task Deleting_a_mailbox_ends_the_sessions_that_have_it_selected_but_for_the_one_that_did_it()
    {
        await using var node = await RunningNode.StartAsync();
        await using var deleter = await node.LogInAsync();
        await using var other = await node.LogInAsync();
        await using var idler = await node.LogInAsync();
        await deleter.OkAsync("CREATE doomed");
        foreach (var session in new[] { deleter, other, idler }) await session.OkAsync("SELECT doomed");
        await idler.SendLineAsync("i IDLE");
        Assert.Equal("+ idling", await idler.ReadLineAsync());

        await deleter.OkAsync("DELETE doomed");

        Assert.StartsWith("* BYE ", await idler.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Null(await idler.ReadLineAsync());
        await other.SendLineAsync("n NOOP");
        Assert.StartsWith("* BYE ", await other.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("BAD ", (await deleter.CommandAsync("FETCH 1 FLAGS"))[^1], StringComparison.Ordinal);
        await deleter.OkAsync("CREATE doomed");
        Assert.Contains("* 0 EXISTS", await deleter.OkAsync("SELECT doomed"));
    }

    [Fact]
    public async Task A_renamed_mailbox_stays_selected_and_goes_on()
    {
        await using var node = await RunningNode.StartAsync();
        await using var session = await node.LogInAsync();
        await using var other = await node.LogInAsync();
        await session.OkAsync("CREATE before");
        await session.OkAsync("SELECT before");
        await other.OkAsync("RENAME before after");
        await other.AppendAsync("after", "Subject: x\r\n\r\n");
        Assert.Equal(["* 1 EXISTS", "* 1 RECENT"], await session.OkAsync("NOOP"));
    }

    [Fact]
    public async Task Renaming_INBOX_moves_its_messages_out_of_every_session_that_has_it_selected()
    {
        await using var node = await NodeWithMessagesAsync(2);
        await using var session = await node.LogInAsync();
        await using var other = await node.LogInAsync();
        await session.OkAsync("SELECT INBOX");
        await other.OkAsync("RENAME INBOX old-mail");
        Assert.Equal(["* 2 EXPUNGE", "* 1 EXPUNGE"], await session.OkAsync("NOOP"));
        await other.AppendAsync("INBOX", "Subject: x\r\n\r\n");
        Assert.Equal(["* 1 EXISTS", "* 1 RECENT"], await session.OkAsync("NOOP"));
        Assert.Contains("* 2 EXISTS", await other.OkAsync("SELECT old-mail"));
    }

    [Fact]
    public async Task Each_message_is_recent_in_one_read_write_session_only()
    {
        await using var node = await RunningNode.StartAsync();
        await using var writer = await node.LogInAsync();
        await using var reader = await node.LogInAsync();
        await writer.AppendAsync("INBOX", "Subject: 1\r\n\r\n");
        Assert.Contains("* 1 RECENT", await reader.OkAsync("EXAMINE INBOX"));
        Assert.Equal(["* STATUS INBOX (RECENT 1)"], await writer.OkAsync("STATUS INBOX (RECENT)"));
        Assert.Contains("* 1 RECENT", await writer.OkAsync("SELECT INBOX"));
        Assert.Equal(["* STATUS INBOX (RECENT 0)"], await reader.OkAsync("STATUS INBOX (RECENT)"));
        await using var late = await node.LogInAsync();
        Assert.Contains("* 0 RECENT", await late.OkAsync("SELECT INBOX"));
        Assert.Equal(["* SEARCH 1"], await writer.OkAsync("SEARCH RECENT"));
        Assert.Equal(["* SEARCH"], await late.OkAsync("SEARCH RECENT"));
        Assert.Equal(["* SEARCH 1"], await late.OkAsync("SEARCH OLD"));
        Assert.Equal(["* SEARCH 1"], await writer.OkAsync("SEARCH NEW"));
    }
}
