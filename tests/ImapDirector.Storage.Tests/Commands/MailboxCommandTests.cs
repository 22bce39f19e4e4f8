using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>CREATE, DELETE, RENAME, SUBSCRIBE, STATUS, SELECT and the commands without a mailbox.</summary>
public sealed class MailboxCommandTests
{
    public static TheoryData<string, string> Answers => new()
    {
        { "CREATE new", "OK [MAILBOXID (F" },
        { "CREATE new/sub/", "OK [MAILBOXID (F" },
        { "CREATE INBOX", "NO [ALREADYEXISTS] " },
        { "CREATE Sent", "NO [ALREADYEXISTS] " },
        { "CREATE a//b", "NO [CANNOT] " },
        { "CREATE ../etc", "NO [CANNOT] " },
        { "CREATE x (USE (\\Sent))", "NO [USEATTR] " },
        { "CREATE x (USE (\\All))", "NO [USEATTR] " },
        { "CREATE x (USE (\\Nonsense))", "NO [USEATTR] " },
        { "CREATE x (USE (\\Junk \\Trash))", "NO [USEATTR] " },
        { "DELETE nowhere", "NO [NONEXISTENT] " },
        { "DELETE INBOX", "NO [CANNOT] " },
        { "RENAME nowhere somewhere", "NO [NONEXISTENT] " },
        { "RENAME Sent Drafts", "NO [ALREADYEXISTS] " },
        { "RENAME Sent Sent/below", "NO [CANNOT] " },
        { "RENAME Sent Posted", "OK Rename completed." },
        { "SUBSCRIBE nowhere", "NO [NONEXISTENT] " },
        { "UNSUBSCRIBE nowhere", "OK Unsubscribe completed." },
        { "SELECT nowhere", "NO [NONEXISTENT] " },
        { "EXAMINE nowhere", "NO [NONEXISTENT] " },
        { "STATUS nowhere (MESSAGES)", "NO [NONEXISTENT] " },
        { "STATUS INBOX (NONSENSE)", "BAD " },
        { "STATUS INBOX ()", "BAD " },
        { "LOGIN a b", "BAD " },
        { "STARTTLS", "BAD " },
        { "AUTHENTICATE PLAIN", "BAD " },
        { "XYZZY", "BAD " },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_command_is_answered(string command, string answer)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        Assert.StartsWith(answer, Assert.Single(await client.CommandAsync(command)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_use_that_became_free_can_be_given_to_a_new_mailbox()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("DELETE Sent");
        await client.OkAsync("CREATE Posted (USE (\\Sent))");
        Assert.Equal(["* LIST (\\HasNoChildren \\Sent) \"/\" Posted"], await client.OkAsync("LIST (SPECIAL-USE) \"\" Posted"));
    }

    [Fact]
    public async Task STATUS_counts()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("Archive", "Subject: 1\r\n\r\n", "(\\Seen) ");
        await client.AppendAsync("Archive", "Subject: 2\r\n\r\nxx", "(\\Deleted) ");
        var line = Assert.Single(await client.OkAsync("STATUS Archive (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE)"));
        Assert.Matches(@"^\* STATUS Archive \(MESSAGES 2 RECENT 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 1 DELETED 1 SIZE 30\)$", line);
    }

    [Fact]
    public async Task A_name_outside_ASCII_goes_in_and_out_in_modified_UTF7()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("CREATE \"Entw&APw-rfe &- Co\"");
        Assert.Equal(["* LIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe &- Co\""], await client.OkAsync("LIST \"\" \"Entw*\""));
    }

    [Fact]
    public Task A_selected_mailbox_is_closed_when_another_is_selected_and_stays_closed_when_that_fails() => ImapScript.RunAsync("""
        C: a EXAMINE Sent
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        S: * OK [PERMANENTFLAGS ()] ~
        S: * 0 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY ~] ~
        S: * OK [UIDNEXT 1] ~
        S: * OK [HIGHESTMODSEQ ~
        S: * OK [MAILBOXID ~
        S: * OK [URLMECH ~
        S: a OK [READ-ONLY] ~
        C: b SELECT nowhere
        S: * OK [CLOSED] ~
        S: b NO [NONEXISTENT] ~
        C: c CHECK
        S: c BAD ~
        C: d ENABLE CONDSTORE
        S: * ENABLED CONDSTORE
        S: d OK ~
        C: e ID NIL
        S: * ID ("name" "ImapDirector")
        S: e OK ~
        C: f IDLE
        S: + idling
        C: DONE
        S: f OK ~
        """);

    [Fact]
    public Task APPEND_checks_before_it_asks() => ImapScript.RunAsync("""
        C: a APPEND nowhere {10}
        S: a NO [TRYCREATE] ~
        C: b APPEND nowhere {10+}
        C: 12345678
        C:
        S: b NO [TRYCREATE] ~
        C: c APPEND INBOX {0}
        S: c NO ~
        C: d APPEND INBOX (\Nonsense) {10}
        S: d BAD ~
        C: e APPEND INBOX "99-Foo-2000 00:00:00 +0000" {10}
        S: e BAD ~
        C: f APPEND INBOX {3}
        S: + OK
        C: abc trailing
        S: f BAD ~
        C: g APPEND {5}
        S: + OK
        C: INBOX {3}
        S: + OK
        C: abc
        S: g OK [APPENDUID ~ 1] ~
        C: h NOOP
        S: h OK ~
        """);

    [Fact]
    public async Task What_was_appended_without_a_date_has_the_time_of_its_arrival()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        await client.AppendAsync("INBOX", "Subject: now\r\n\r\n");
        await client.OkAsync("SELECT INBOX");
        var line = Assert.Single(await client.OkAsync("FETCH 1 INTERNALDATE"));
        var date = DateTimeOffset.ParseExact(line.Split('"')[1].Trim(), "d-MMM-yyyy HH:mm:ss zzz", null);
        Assert.InRange(date, before, DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task Pipelined_commands_are_answered_in_order()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.SendAsync("a CREATE x\r\nb APPEND x {5+}\r\nhello\r\nc SELECT x\r\nd UID FETCH 1:* (BODY[])\r\ne LOGOUT\r\n");
        Assert.StartsWith("OK", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("OK [APPENDUID", (await client.ReadAnswerAsync("b"))[^1], StringComparison.Ordinal);
        Assert.Contains("* 1 EXISTS", await client.ReadAnswerAsync("c"));
        Assert.Contains("hello)", await client.ReadAnswerAsync("d"));
        Assert.StartsWith("OK", (await client.ReadAnswerAsync("e"))[^1], StringComparison.Ordinal);
        Assert.Null(await client.ReadLineAsync());
    }
}
