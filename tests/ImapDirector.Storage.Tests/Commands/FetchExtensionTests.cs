using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>OBJECTID (RFC 8474), SAVEDATE (RFC 8514), PREVIEW (RFC 8970), BINARY (RFC 3516), PARTIAL (RFC 9394) and IMAP4rev2 (RFC 9051).</summary>
public sealed class FetchExtensionTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task Identifiers_stay_with_mailboxes_and_messages_wherever_they_go()
    {
        var created = (await _client.CommandAsync("CREATE work"))[^1];
        var id = created.Split('(', ')')[1];
        Assert.StartsWith("OK [MAILBOXID (F", created, StringComparison.Ordinal);
        await _client.OkAsync("RENAME work play");
        Assert.Equal([$"* STATUS play (MAILBOXID ({id}))"], await _client.OkAsync("STATUS play (MAILBOXID)"));
        Assert.Contains(await _client.OkAsync("SELECT play"), line => line.Contains($"[MAILBOXID ({id})]", StringComparison.Ordinal));

        await _client.AppendAsync("play", "Subject: x\r\n\r\n");
        var email = Assert.Single(await _client.OkAsync("FETCH 1 (EMAILID THREADID)"), static line => line.Contains("FETCH", StringComparison.Ordinal));
        Assert.Matches("^\\* 1 FETCH \\(EMAILID \\(M[0-9]+\\) THREADID NIL\\)$", email);
        await _client.OkAsync("MOVE 1 INBOX");
        await _client.OkAsync("SELECT INBOX");
        Assert.Equal([email], await _client.OkAsync("FETCH 1 (EMAILID THREADID)"));
        Assert.Equal(["* SEARCH 1"], await _client.OkAsync($"SEARCH EMAILID {email.Split('(', ')')[2]}"));
        Assert.Equal(["* SEARCH"], await _client.OkAsync("SEARCH EMAILID M999999"));
    }

    [Fact]
    public async Task The_date_of_saving_is_that_of_this_mailbox()
    {
        await _client.AppendAsync("INBOX", "Subject: x\r\n\r\n", "\"01-Jan-2001 00:00:00 +0000\" ");
        await _client.OkAsync("SELECT INBOX");
        var line = Assert.Single(await _client.OkAsync("FETCH 1 (INTERNALDATE SAVEDATE)"));
        Assert.StartsWith("* 1 FETCH (INTERNALDATE \" 1-Jan-2001 00:00:00 +0000\" SAVEDATE \"", line, StringComparison.Ordinal);
        Assert.DoesNotContain("SAVEDATE \" 1-Jan-2001", line, StringComparison.Ordinal);
        Assert.Equal(["* SEARCH 1"], await _client.OkAsync("SEARCH SAVEDSINCE 2-Jan-2001 BEFORE 2-Jan-2001 SAVEDATESUPPORTED"));
        Assert.Equal(["* SEARCH"], await _client.OkAsync("SEARCH SAVEDBEFORE 2-Jan-2001"));
    }

    [Theory]
    [InlineData("Subject: x\r\n\r\nHello,\r\n\r\n  world\r\n", "\"Hello, world\"")]
    [InlineData("Subject: x\r\n\r\n", "\"\"")]
    [InlineData("Content-Type: application/pdf\r\n\r\n%PDF", "NIL")]
    [InlineData("MIME-Version: 1.0\r\nContent-Type: application/pdf\r\n\r\n%PDF", "NIL")]
    [InlineData("MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<html><head><title>t</title></head><style>x{}</style><!-- no --><p>Fish &amp;\r\n<b>chips</b></p>", "\"Fish & chips\"")]
    [InlineData("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n", "{7}")]
    [InlineData("MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich\r\n--b\r\n\r\nplain\r\n--b--\r\n", "\"plain\"")]
    public async Task The_preview_is_the_beginning_of_the_text(string message, string preview)
    {
        await _client.AppendAsync("INBOX", message);
        await _client.OkAsync("SELECT INBOX");
        Assert.StartsWith("* 1 FETCH (PREVIEW " + preview, (await _client.OkAsync("FETCH 1 (PREVIEW (LAZY))"))[0], StringComparison.Ordinal);
        Assert.StartsWith("* 1 FETCH (PREVIEW " + preview, (await _client.OkAsync("FETCH 1 PREVIEW"))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_text_gives_a_preview_of_200_characters()
    {
        await _client.AppendAsync("INBOX", "Subject: x\r\n\r\n" + new string('x', 5000) + "\r\n");
        await _client.OkAsync("SELECT INBOX");
        Assert.Equal([$"* 1 FETCH (PREVIEW \"{new string('x', 200)}\")"], await _client.OkAsync("FETCH 1 PREVIEW"));
    }

    [Fact]
    public async Task Parts_are_sent_without_their_transfer_encoding()
    {
        await _client.AppendAsync("INBOX",
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc\r\n"
            + "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQ=\r\n"
            + "--b\r\nContent-Transfer-Encoding: x-secret\r\n\r\nzzz\r\n--b--\r\n");
        await _client.OkAsync("SELECT INBOX");
        await ImapScript.RunAsync(_client, """
            C: a FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.PEEK[1])
            S: * 1 FETCH (BINARY.SIZE[1] 4 BINARY.SIZE[2] 5 BINARY[1] {4}
            S: a=bc)
            S: a OK ~
            C: b FETCH 1 (BINARY.PEEK[1]<1.2> BINARY.PEEK[9])
            S: * 1 FETCH (BINARY[1]<1> {2}
            S: =b BINARY[9] NIL)
            S: b OK ~
            C: c FETCH 1 BINARY.PEEK[3]
            S: * 1 FETCH (BINARY[3] NIL)
            S: c NO [UNKNOWN-CTE] ~
            C: d FETCH 1 BINARY[HEADER]
            S: d BAD ~
            C: e FETCH 1 BINARY.SIZE[1]<0.5>
            S: e BAD ~
            """);
        await _client.SendLineAsync("f FETCH 1 BINARY[2]");
        Assert.Equal("* 1 FETCH (FLAGS (\\Seen \\Recent) BINARY[2] ~{5}", await _client.ReadLineAsync());
        Assert.Equal([0, 1, 2, 3, 4], await _client.ReadBytesAsync(5));
        Assert.Equal(")", await _client.ReadLineAsync());
        Assert.StartsWith("f OK", await _client.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_window_of_the_messages_is_shown()
    {
        for (var i = 0; i < 6; i++) await _client.AppendAsync("INBOX", "Subject: x\r\n\r\n");
        await _client.OkAsync("SELECT INBOX");
        Assert.Equal(["* 5 FETCH (UID 5)", "* 6 FETCH (UID 6)"], await _client.OkAsync("FETCH 1:* (UID) (PARTIAL -1:-2)"));
        Assert.Equal(["* 3 FETCH (UID 3)", "* 5 FETCH (UID 5)"], await _client.OkAsync("UID FETCH 1:3,5:6 (UID) (PARTIAL 4:3)"));
        Assert.Empty(await _client.OkAsync("UID FETCH 1:* (UID) (PARTIAL 7:9)"));
    }

    [Fact]
    public Task Once_enabled_IMAP4rev2_knows_no_RECENT_and_answers_with_ESEARCH_and_UTF_8() => ImapScript.RunAsync("""
        C2: a SELECT INBOX
        S2: * FLAGS ~
        S2: * OK ~
        S2: * 0 EXISTS
        S2: * 0 RECENT
        S2: * OK ~
        S2: * OK ~
        S2: * OK ~
        S2: * OK ~
        S2: * OK ~
        S2: a OK ~
        C: a ENABLE IMAP4rev2
        S: * ENABLED IMAP4rev2
        S: a OK ~
        C: b CREATE "EntwÃ¼rfe"
        S: b OK ~
        C: c LIST "" "Entw*"
        S: * LIST (\HasNoChildren) "/" "EntwÃ¼rfe"
        S: c OK ~
        C2: c LIST "" "Entw*"
        S2: * LIST (\HasNoChildren) "/" Entw&APw-rfe
        S2: c OK ~
        C: d APPEND inbox {3+}
        C: x:y
        S: d OK ~
        C: e SELECT inbox
        S: * FLAGS ~
        S: * OK [PERMANENTFLAGS ~
        S: * 1 EXISTS
        S: * OK [UIDVALIDITY ~
        S: * OK [UIDNEXT 2] ~
        S: * OK [HIGHESTMODSEQ ~
        S: * OK [MAILBOXID ~
        S: * OK [URLMECH ~
        S: * LIST () "/" INBOX
        S: e OK ~
        C: f FETCH 1 FLAGS
        S: * 1 FETCH (FLAGS ())
        S: f OK ~
        C: g UID SEARCH ALL
        S: * ESEARCH (TAG "g") UID ALL 1
        S: g OK ~
        C: h SELECT "EntwÃ¼rfe"
        S: * OK [CLOSED] ~
        S: * FLAGS ~
        S: * OK ~
        S: * 0 EXISTS
        S: * OK ~
        S: * OK ~
        S: * OK ~
        S: * OK ~
        S: * OK ~
        S: * LIST () "/" "EntwÃ¼rfe"
        S: h OK ~
        C: i STATUS INBOX (MESSAGES SIZE DELETED APPENDLIMIT)
        S: * STATUS INBOX (MESSAGES 1 SIZE 3 DELETED 0 APPENDLIMIT 52428800)
        S: i OK ~
        """.Replace("\\u00c3\\u00bc", "\u00c3\u00bc", StringComparison.Ordinal));
}
