using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>UIDONLY (RFC 9586).</summary>
public sealed class UidOnlyTests : IAsyncLifetime
{
    private RunningNode _node = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        await using var client = await _node.LogInAsync();
        for (var i = 1; i <= 4; i++) await client.AppendAsync("INBOX", $"Subject: {i}\r\n\r\nx\r\n");
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await client.OkAsync("EXPUNGE");
    }

    public async Task DisposeAsync() => await _node.DisposeAsync();

    private async Task<ImapClient> SelectAsync(string enable = "UIDONLY")
    {
        var client = await _node.LogInAsync();
        await client.OkAsync("ENABLE " + enable);
        await client.OkAsync("SELECT INBOX");
        return client;
    }

    [Fact]
    public Task Answers_name_messages_by_their_UIDs_once_it_is_enabled() => ImapScript.RunAsync(_node, """
        C: a ENABLE UIDONLY
        S: * ENABLED UIDONLY
        S: a OK ~
        C: b SELECT INBOX
        S: * FLAGS ~
        S: * OK [PERMANENTFLAGS ~
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY ~
        S: * OK [UIDNEXT 5] ~
        S: * OK [HIGHESTMODSEQ ~
        S: * OK [MAILBOXID ~
        S: * OK [URLMECH ~
        S: b OK ~
        C: c UID FETCH 1:* (FLAGS)
        S: * 2 UIDFETCH (FLAGS ())
        S: * 3 UIDFETCH (FLAGS ())
        S: * 4 UIDFETCH (FLAGS ())
        S: c OK ~
        C: d UID FETCH 3 (UID RFC822.SIZE)
        S: * 3 UIDFETCH (UID 3 RFC822.SIZE 17)
        S: d OK ~
        C: e UID FETCH 3 (BODY[TEXT])
        S: * 3 UIDFETCH (FLAGS (\Seen) BODY[TEXT] {3}
        S: x
        S: )
        S: e OK ~
        C: f UID STORE 2,4 +FLAGS (\Flagged)
        S: * 2 UIDFETCH (FLAGS (\Flagged))
        S: * 4 UIDFETCH (FLAGS (\Flagged))
        S: f OK ~
        C: g UID SEARCH RETURN (SAVE COUNT) FLAGGED
        S: * ESEARCH (TAG "g") UID COUNT 2
        S: g OK ~
        C: h UID SEARCH NOT $ UID 1:*
        S: * SEARCH 3
        S: h OK ~
        C: i UID MOVE $ Trash
        S: * OK [COPYUID ~ 2,4 1:2] ~
        S: * VANISHED 2,4
        S: i OK ~
        """);

    [Fact]
    public Task Changes_of_others_are_told_by_UID() => ImapScript.RunAsync(_node, """
        C: a ENABLE UIDONLY CONDSTORE
        S: * ENABLED UIDONLY CONDSTORE
        S: a OK ~
        C: b SELECT INBOX
        S: * FLAGS ~
        S: * OK [PERMANENTFLAGS ~
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY ~
        S: * OK [UIDNEXT 5] ~
        S: * OK [HIGHESTMODSEQ 7] ~
        S: * OK [MAILBOXID ~
        S: * OK [URLMECH ~
        S: b OK ~
        C2: a SELECT INBOX
        S2: * FLAGS ~
        S2: * OK [PERMANENTFLAGS ~
        S2: * 3 EXISTS
        S2: * 0 RECENT
        S2: * OK [UNSEEN 1] ~
        S2: * OK [UIDVALIDITY ~
        S2: * OK [UIDNEXT 5] ~
        S2: * OK [HIGHESTMODSEQ 7] ~
        S2: * OK [MAILBOXID ~
        S2: * OK [URLMECH ~
        S2: a OK ~
        C2: b STORE 3 +FLAGS.SILENT (\Seen)
        S2: b OK ~
        C2: c STORE 1 +FLAGS.SILENT (\Deleted)
        S2: c OK ~
        C2: d EXPUNGE
        S2: * 1 EXPUNGE
        S2: d OK ~
        C: c NOOP
        S: * VANISHED 2
        S: * 4 UIDFETCH (FLAGS (\Seen) MODSEQ (8))
        S: c OK ~
        C: d UID STORE 4 +FLAGS.SILENT (\Flagged)
        S: * 4 UIDFETCH (MODSEQ (~))
        S: d OK ~
        C: e UID STORE 3:4 (UNCHANGEDSINCE 1) +FLAGS (\Draft)
        S: e OK [MODIFIED 3:4] ~
        """);

    [Theory]
    [InlineData("FETCH 1 (FLAGS)")]
    [InlineData("STORE 1 +FLAGS (\\Seen)")]
    [InlineData("COPY 1 Trash")]
    [InlineData("MOVE 1 Trash")]
    [InlineData("SEARCH ALL")]
    [InlineData("SORT (DATE) UTF-8 ALL")]
    [InlineData("THREAD REFERENCES UTF-8 ALL")]
    [InlineData("UID SEARCH 1:3")]
    [InlineData("UID SEARCH SEEN NOT OR UID 1 (ALL 2)")]
    [InlineData("UID SORT (DATE) UTF-8 *")]
    [InlineData("UID THREAD REFS UTF-8 1")]
    [InlineData("SELECT INBOX (QRESYNC (1 1 1:3 (1 1)))")]
    [InlineData("REPLACE 1 INBOX {3+}\r\nx\r\n")]
    public async Task Message_numbers_are_refused(string command)
    {
        await using var client = await SelectAsync("UIDONLY QRESYNC");
        await client.SendLineAsync("a " + command);
        Assert.StartsWith("BAD [UIDREQUIRED]", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        Assert.Contains("* 3 UIDFETCH (FLAGS () MODSEQ (4))", await client.OkAsync("UID FETCH 3 (FLAGS MODSEQ)"));
    }

    [Fact]
    public async Task A_client_that_comes_back_is_told_of_changes_by_UID()
    {
        await using var client = await _node.LogInAsync();
        await client.OkAsync("ENABLE UIDONLY QRESYNC");
        var validity = (await client.OkAsync("SELECT INBOX")).Single(static line => line.Contains("UIDVALIDITY", StringComparison.Ordinal)).Split(' ', ']')[3];
        var answer = await client.OkAsync($"SELECT INBOX (QRESYNC ({validity} 4 1:4))");
        Assert.Contains("* VANISHED (EARLIER) 1", answer);
        Assert.Contains("* 4 UIDFETCH (FLAGS () MODSEQ (5))", answer);
        Assert.DoesNotContain(answer, static line => line.Contains(" FETCH ", StringComparison.Ordinal) || line.Contains("[UNSEEN", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_it_message_numbers_stay()
    {
        await using var client = await _node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        Assert.Contains("* 1 FETCH (UID 2)", await client.OkAsync("FETCH 1 (UID)"));
    }
}
