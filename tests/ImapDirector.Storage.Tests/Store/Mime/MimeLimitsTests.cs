using System.Text;
using ImapDirector.Storage.Store.Mime;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>Each limit just below, at and above it (defences N6, N7 and N8): what lies beyond is opaque or cut, never refused.</summary>
public sealed class MimeLimitsTests
{
    // RFC 3501 clients and Dovecot read BODYSTRUCTURE to this depth of parentheses.
    private const int MaxParentheses = 110;

    [Theory]
    [InlineData(98, 98, false)]
    [InlineData(99, 99, false)]
    [InlineData(100, 99, true)]
    [InlineData(1000, 99, true)]
    public void Multiparts_nest_to_the_limit(int multiparts, int shown, bool opaque)
    {
        var message = new StringBuilder();
        for (var i = 0; i < multiparts; i++) message.Append($"Content-Type: multipart/mixed; boundary=b{i:0000}\r\nContent-Disposition: x; y=z\r\n\r\n--b{i:0000}\r\n");
        var text = new SummaryText(message + "\r\nx");
        Assert.Equal(shown, Count(text.BodyStructure, "\"mixed\""));
        Assert.Equal(opaque, text.BodyStructure.Contains("\"application\" \"octet-stream\"", StringComparison.Ordinal));
        Assert.True(ImapValue.Parse(text.Summary.BodyStructure).MaxDepth <= MaxParentheses);
    }

    [Theory]
    [InlineData(99, 99, false)]
    [InlineData(100, 99, true)]
    [InlineData(5000, 99, true)]
    public void Messages_nest_to_the_limit(int messages, int shown, bool opaque)
    {
        var text = new SummaryText(string.Concat(Enumerable.Repeat("From: g: a@b;\r\nContent-Type: message/rfc822\r\n\r\n", messages)) + "Subject: x\r\n\r\nx");
        Assert.Equal(shown, Count(text.BodyStructure, "\"rfc822\""));
        Assert.Equal(opaque, text.BodyStructure.Contains("\"application\" \"octet-stream\"", StringComparison.Ordinal));
        Assert.True(ImapValue.Parse(text.Summary.BodyStructure).MaxDepth <= MaxParentheses);
    }

    [Theory]
    [InlineData(9_998, 9_998, 1)]
    [InlineData(9_999, 9_999, 10)]
    [InlineData(10_000, 9_999, 39)]
    [InlineData(20_000, 9_999, 290_039)]
    public void Behind_the_last_part_that_may_be_nothing_is_parted(int parts, int shown, int lastBytes)
    {
        var text = new SummaryText("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + string.Concat(Enumerable.Repeat("--b\r\nContent-Type: a/b\r\n\r\nx\r\n", parts)) + "--b--\r\n");
        Assert.Equal(shown + 1, text.Summary.Parts.Length);
        Assert.EndsWith($"(\"a\" \"b\" NIL NIL NIL \"7bit\" {lastBytes}) \"mixed\")", text.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(79, 79, true)]
    [InlineData(80, 80, true)]
    [InlineData(81, 80, true)]
    [InlineData(81, 79, false)]
    public void Of_a_boundary_80_bytes_count(int declared, int used, bool found)
    {
        var text = new SummaryText($"Content-Type: multipart/mixed; boundary={new string('x', declared)}\r\n\r\n--{new string('x', used)}\r\n\r\nbody\r\n");
        Assert.Equal(found ? "body\r\n" : "", text.Section("1"));
    }

    [Theory]
    [InlineData(127, 127)]
    [InlineData(128, 128)]
    [InlineData(129, 128)]
    [InlineData(10_000, 128)]
    public void Parameters_beyond_the_limit_are_cut(int given, int shown)
    {
        var parameters = string.Concat(Enumerable.Range(0, given).Select(static i => $"; p*{i}=v"));
        Assert.Equal($"(\"a\" \"b\" (\"p\" \"{new string('v', shown)}\") NIL NIL \"7bit\" 0)", new SummaryText($"Content-Type: a/b{parameters}\r\n\r\n").Body);
    }

    [Theory]
    [InlineData(999, 999)]
    [InlineData(1000, 1000)]
    [InlineData(1001, 1000)]
    [InlineData(50_000, 1000)]
    public void Addresses_beyond_the_limit_are_cut(int given, int shown)
    {
        var list = string.Join(",", Enumerable.Repeat("a@b", given));
        Assert.Equal(shown, Count(new SummaryText($"To: {list}\r\n\r\n").Envelope, "(NIL NIL \"a\" \"b\")"));
        // In one group, and over several fields of the name.
        Assert.Equal(Math.Min(shown, 999), Count(new SummaryText($"To: g:{list};\r\n\r\n").Envelope, "(NIL NIL \"a\" \"b\")"));
        Assert.Equal(shown, Count(new SummaryText(string.Concat(Enumerable.Repeat("To: a@b\r\n", given)) + "\r\n").Envelope, "(NIL NIL \"a\" \"b\")"));
    }

    [Theory]
    [InlineData(999, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void A_field_name_longer_than_the_limit_is_nobodys(int length, bool known) =>
        Assert.Equal(known, new SummaryText($"Subject{new string(' ', length - 7)}: x\r\n\r\n").Envelope.Contains("\"x\"", StringComparison.Ordinal));

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void A_field_is_cut_at_its_limit(int beyond)
    {
        var length = MimeLimits.MaxFieldBytes + beyond;
        var envelope = MessageSummarizer.Summarize(new MemoryStream(Encoding.ASCII.GetBytes($"Message-ID:{new string('x', length)}\r\n\r\n"))).Envelope;
        Assert.Equal(Math.Min(length, MimeLimits.MaxFieldBytes), envelope.AsSpan().Count((byte)'x'));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void The_fields_of_a_message_and_of_its_parts_are_cut_where_they_are_too_much_together(int beyond)
    {
        const int length = MimeLimits.MaxFieldsBytes / 2;
        var parts = $"From:{new string('x', length - "message/rfc822".Length)}\r\nContent-Type:message/rfc822\r\n\r\nMessage-ID:{new string('y', length + beyond)}\r\n\r\n";
        var summary = MessageSummarizer.Summarize(new MemoryStream(Encoding.ASCII.GetBytes(parts)));
        Assert.Equal(Math.Min(length + beyond, length), summary.Body.AsSpan().Count((byte)'y'));
    }

    [Fact]
    public void A_message_made_of_long_fields_has_a_summary_that_is_not_much_longer_than_their_limit()
    {
        // Each address is told three times, each quote escaped, and the message inside another is in both structures.
        var from = $"From: \"{string.Concat(Enumerable.Repeat("\\\"", 2 * 1024 * 1024))}\" <a@b>\r\n";
        var part = $"--b\r\nContent-Type: message/rfc822\r\n\r\n{from}\r\nx\r\n";
        var summary = MessageSummarizer.Summarize(new MemoryStream(Encoding.ASCII.GetBytes($"Content-Type: multipart/mixed; boundary=b\r\n\r\n{string.Concat(Enumerable.Repeat(part, 5))}--b--\r\n")));
        Assert.InRange(summary.Body.Length + summary.BodyStructure.Length + summary.Envelope.Length, 1, 2 * 3 * 2 * MimeLimits.MaxFieldsBytes);
    }

    [Fact]
    public void Fields_behind_the_limit_of_all_headers_are_not_read()
    {
        var line = Encoding.ASCII.GetBytes($"X: {new string('x', 1024 * 1024)}\r\n");
        var message = new MemoryStream();
        message.Write("Subject: seen\r\n"u8);
        while (message.Length <= MimeLimits.MaxHeaderBytes) message.Write(line);
        message.Write("Message-ID: unseen\r\n\r\nbody"u8);
        message.Position = 0;
        var summary = MessageSummarizer.Summarize(message);
        Assert.Equal("(NIL \"seen\" NIL NIL NIL NIL NIL NIL NIL NIL)", Encoding.ASCII.GetString(summary.Envelope));
        Assert.Equal(4, summary.Parts[0].End - summary.Parts[0].BodyStart);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
