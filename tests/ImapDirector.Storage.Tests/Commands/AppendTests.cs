using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>MULTIAPPEND (RFC 3502), REPLACE (RFC 8508), literal8 (RFC 3516) and UTF8 (RFC 6855) in APPEND.</summary>
public sealed class AppendTests
{
    [Fact]
    public async Task A_MULTIAPPEND_is_one_transaction()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.SendAsync("a APPEND INBOX (\\Seen) {9+}\r\nS: one\r\n\r (\\Flagged) \"01-Jan-2030 00:00:00 +0000\" {9+}\r\nS: two\r\n\r {11+}\r\nS: three\r\n\r\r\n");
        Assert.StartsWith("OK [APPENDUID ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        await client.OkAsync("SELECT INBOX");
        Assert.Equal(["* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) RFC822.SIZE 9)", "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) RFC822.SIZE 9)",
            "* 3 FETCH (UID 3 FLAGS (\\Recent) RFC822.SIZE 11)"], await client.OkAsync("FETCH 1:* (UID FLAGS RFC822.SIZE)"));

        // The second is empty, and so the first is not there either.
        await client.SendAsync("b APPEND INBOX {3+}\r\nS:x {0+}\r\n {3+}\r\nS:y\r\n");
        Assert.StartsWith("NO [CANNOT]", (await client.ReadAnswerAsync("b"))[^1], StringComparison.Ordinal);
        await client.SendAsync("c APPEND INBOX {3+}\r\nS:x {3+}\r\nS:y nonsense\r\n");
        Assert.StartsWith("BAD ", (await client.ReadAnswerAsync("c"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* STATUS INBOX (MESSAGES 3)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
    }

    [Fact]
    public async Task Too_many_messages_are_refused_and_the_session_goes_on()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.SendAsync("a APPEND INBOX" + string.Concat(Enumerable.Repeat(" {3+}\r\nS:x", 300)) + "\r\n");
        Assert.StartsWith("NO [LIMIT]", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* STATUS INBOX (MESSAGES 0)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
    }

    [Fact]
    public async Task A_draft_is_replaced_by_its_next_version()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("Drafts", "Subject: one\r\n\r\n");
        await client.AppendAsync("Drafts", "Subject: keep\r\n\r\n");
        await client.OkAsync("SELECT Drafts");
        await ImapScript.RunAsync(client, """
            C: a REPLACE 1 Drafts (\Draft) {14}
            S: + OK
            C: Subject: two
            C:
            S: * OK [APPENDUID ~ 3] ~
            S: * 1 EXPUNGE
            S: * 2 EXISTS
            S: a OK ~
            C: b UID REPLACE 3 Sent {15+}
            C: Subject: sent
            C:
            S: * OK [APPENDUID ~ 1] ~
            S: * 2 EXPUNGE
            S: * 1 RECENT
            S: b OK ~
            C: c UID REPLACE 99 Drafts {14}
            S: c NO [NONEXISTENT] ~
            C: d REPLACE 9 Drafts {14}
            S: d BAD ~
            C: e REPLACE 1 nowhere {14}
            S: e NO [TRYCREATE] ~
            C: f REPLACE 1:2 Drafts {14}
            S: f BAD ~
            C: g EXAMINE Drafts
            S: * OK [CLOSED] ~
            S: * FLAGS ~
            S: * OK ~
            S: * 1 EXISTS
            S: * 0 RECENT
            S: * OK [UNSEEN 1] ~
            S: * OK ~
            S: * OK ~
            S: * OK ~
            S: * OK ~
            S: * OK ~
            S: g OK ~
            C: h REPLACE 1 Drafts {14}
            S: h NO [READ-ONLY] ~
            C: i UNSELECT
            S: i OK ~
            C: j REPLACE 1 Drafts {14}
            S: j BAD ~
            """);
    }

    [Fact]
    public async Task A_literal8_is_taken_unless_it_has_a_NUL()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.SendAsync("a APPEND INBOX ~{15+}\r\nSubject: \u00ff\r\n\r\nx\r\n");
        Assert.StartsWith("OK ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        await client.SendAsync("b APPEND INBOX ~{15+}\r\nSubject: \0\r\n\r\nx\r\n");
        Assert.StartsWith("NO [UNKNOWN-CTE]", (await client.ReadAnswerAsync("b"))[^1], StringComparison.Ordinal);
        await client.OkAsync("ENABLE UTF8=ACCEPT");
        await client.SendAsync("c APPEND INBOX (\\Seen) UTF8 (~{18+}\r\nSubject: \u00c3\u00a9\r\n\r\nx\r\n)\r\n");
        Assert.StartsWith("OK ", (await client.ReadAnswerAsync("c"))[^1], StringComparison.Ordinal);
        await client.SendAsync("d APPEND INBOX UTF8 (~{18+}\r\nSubject: \u00c3\u00a9\r\n\r\nx\r\n\r\n");
        Assert.StartsWith("BAD ", (await client.ReadAnswerAsync("d"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* STATUS INBOX (MESSAGES 2)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
    }
}
