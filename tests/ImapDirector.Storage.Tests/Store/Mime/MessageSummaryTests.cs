using System.Text;
using ImapDirector.Storage.Store.Mime;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>The rules of ENVELOPE, BODYSTRUCTURE and part numbers that can be said in a line each.</summary>
public sealed class MessageSummaryTests
{
    private const string Text = """("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0)""";

    [Theory]
    [InlineData("a@b", """(NIL NIL "a" "b")""")]
    [InlineData("Ann <a@b>", """("Ann" NIL "a" "b")""")]
    [InlineData("=?utf-8?q?Ann?= <a@b>", """("=?utf-8?q?Ann?=" NIL "a" "b")""")]
    [InlineData("a@b (Ann)", """("Ann" NIL "a" "b")""")]
    [InlineData("<@r1,@r2:a@b>", """(NIL "@r1,@r2" "a" "b")""")]
    [InlineData("g: a@b, c@d;", """(NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL)""")]
    [InlineData("g:;", """(NIL NIL "g" NIL)(NIL NIL NIL NIL)""")]
    [InlineData("a", """(NIL NIL "a" "MISSING_DOMAIN")""")]
    public void An_address_is_told_as_written(string value, string expected) =>
        Assert.Equal($"(NIL NIL ({expected}) ({expected}) ({expected}) NIL NIL NIL NIL NIL)", new SummaryText($"From: {value}\r\n\r\n").Envelope);

    [Fact]
    public void Sender_and_reply_to_are_the_author_where_they_are_missing_or_empty() => Assert.Equal(
        """("d" "s" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) NIL NIL NIL NIL "<i>")""",
        new SummaryText("Date: d\r\nSubject: s\r\nFrom: a@b\r\nSender: \r\nReply-To: c@d\r\nMessage-ID: <i>\r\n\r\n").Envelope);

    [Theory]
    [InlineData("Date: Mon, 5 Mar 2029 23:30:00 -0800", "2029-03-05")]
    [InlineData("Date: 05 mar 2029", "2029-03-05")]
    [InlineData("Date: Mon,5 (five) March 29 1:00", "2029-03-05")]
    [InlineData("Date: 5 Mar 99 1:00", "1999-03-05")]
    [InlineData("Date: 5 Mar 100 1:00", "2000-03-05")]
    [InlineData("Date: 29 Feb 2028 1:00\r\nDate: 1 Jan 2030", "2030-01-01")]
    [InlineData("Date: 29 Feb 2029 1:00", null)]
    [InlineData("Date: yesterday", null)]
    [InlineData("Date:", null)]
    [InlineData("Subject: x", null)]
    public void The_sent_date_is_the_day_as_written(string header, string? expected) =>
        Assert.Equal(expected, new SummaryText(header + "\r\n\r\n").Summary.SentDate?.ToString("yyyy-MM-dd"));

    [Theory]
    // RFC 2231 section 3: the sections of a value are put together. Dovecot 2.3 takes m* here for a section 1 (it forgets to set the number back).
    [InlineData("n*0=a; n*1=b; m*=utf-8''x", """("m*" "utf-8''x" "n" "ab")""")]
    [InlineData("n*1=b; n*0*=u''a%20; n*2=\"50%\"", """("n*" "u''a%20b50%25")""")]
    [InlineData("n*1=b; n*3=c", """("n*1" "b" "n*3" "c")""")]
    [InlineData("\u00e9*0=a; \u00e9*1=b", "(\"\u00e9\" \"ab\")")]
    [InlineData("n*9999999=a", """("n*9999999" "a")""")]
    public void Sections_of_a_parameter_are_joined(string parameters, string expected) => Assert.Equal(
        $"""("a" "b" {expected} NIL NIL "7bit" 0)""", new SummaryText($"Content-Type: a/b; {parameters}\r\n\r\n").Body);

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    public void Offsets_and_counts_are_of_the_bytes_as_they_are(string newline)
    {
        var message = string.Join(newline, "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "two", "--b", "Content-Type: message/rfc822", "", "Subject: inner", "", "text", "--b--", "");
        var text = new SummaryText(message);
        var (line, inner) = (newline.Length, "Subject: inner".Length + "text".Length + 2 * newline.Length);
        Assert.Equal($"""(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" {6 + line} 1)("message" "rfc822" NIL NIL NIL "7bit" {inner} (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0) 2) "mixed")""", text.Body);
        Assert.Equal($"one{newline}two", text.Section("1"));
        Assert.Equal($"Subject: inner{newline}{newline}", text.Section("2.HEADER"));
        Assert.Equal("text", text.Section("2.1"));
    }

    [Fact]
    public void Parts_are_numbered_and_described()
    {
        var parts = new SummaryText("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: TEXT/HTML; charset=X\r\nContent-Transfer-Encoding: BASE64\r\n\r\nx\r\n"
            + "--a\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ny\r\n--b\r\n\r\nz\r\n--b--\r\n--a--\r\n").Summary.Parts;
        Assert.Equal(["True  multipart/mixed 7bit ", "False 1 text/html base64 X", "False 2 message/rfc822 7bit ", "True 2 multipart/mixed 7bit ", "False 2.1 text/plain 7bit ", "False 2.2 text/plain 7bit "],
            parts.Select(static part => $"{part.IsMessage} {part.Path} {part.ContentType} {part.Encoding} {part.Charset}"));
    }

    [Fact]
    public void Eight_bit_text_goes_as_a_literal_and_a_NUL_not_at_all()
    {
        var summary = MessageSummarizer.Summarize(new MemoryStream(Encoding.Latin1.GetBytes("Subject: \u00e9\r\nMessage-ID: a\0b\r\n\r\n")));
        Assert.Equal("(NIL {1}\r\n\u00e9 NIL NIL NIL NIL NIL NIL NIL {5}\r\na\u00ef\u00bf\u00bdb)", Encoding.Latin1.GetString(summary.Envelope));
    }

    [Fact]
    public void The_stream_may_give_its_bytes_one_by_one()
    {
        foreach (var message in StructureCorpus.Messages)
        {
            var bytes = Encoding.Latin1.GetBytes(message);
            var whole = MessageSummarizer.Summarize(new MemoryStream(bytes));
            var slow = MessageSummarizer.Summarize(new TrickleStream(bytes));
            Assert.Equal(whole.BodyStructure, slow.BodyStructure);
            Assert.Equal(whole.Parts.AsEnumerable(), slow.Parts);
        }
    }

    [Fact]
    public void A_line_longer_than_any_buffer_is_one_line()
    {
        // The CR and the LF of the second field come in different pieces.
        for (var length = 65_520; length < 65_540; length++)
        {
            var text = new SummaryText($"Message-ID: {new string('x', length)}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{new string('-', length)}\r\n--b\r\n\r\n1\r\n--b--\r\n");
            Assert.Equal($"({Text} \"mixed\")", text.Body);
            Assert.Contains($" \"{new string('x', length)}\")", text.Envelope, StringComparison.Ordinal);
        }
    }

    private sealed class TrickleStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1));
    }
}
