using System.Buffers;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Lmtp;
using Xunit;

namespace ImapDirector.Protocol.Tests.Lmtp;

public sealed class LmtpReplyWriterTests
{
    [Theory]
    [InlineData(250, "2.1.0", "Sender ok", true, "250 2.1.0 Sender ok\r\n")]
    [InlineData(250, "", "PIPELINING", false, "250-PIPELINING\r\n")]
    [InlineData(220, "", "", true, "220 \r\n")]
    [InlineData(550, "5.1.1", "no\r\n250 2.0.0 yes", true, "550 5.1.1 no??250 2.0.0 yes\r\n")]
    [InlineData(550, "5.1\r\n", "a\0b\u00e9\u007f", true, "550 5.1?? a?b??\r\n")]
    public void A_reply_is_one_line_whatever_its_text_holds(int code, string enhanced, string text, bool isLast, string expected) =>
        Assert.Equal(expected, Write(code, enhanced, text, isLast));

    [Theory]
    [InlineData(501, 511)]
    [InlineData(502, 512)]
    [InlineData(503, 512)]
    [InlineData(5000, 512)]
    public void A_line_has_at_most_512_bytes(int text, int line) => Assert.Equal(line, Write(250, "2.0", new string('x', text), isLast: true).Length);

    [Theory]
    [InlineData(0)]
    [InlineData(199)]
    [InlineData(600)]
    [InlineData(-250)]
    public void A_code_that_is_none_is_a_defect(int code) => Assert.Throws<ArgumentOutOfRangeException>(() => Write(code, "", "x", isLast: true));

    [Fact]
    public void Nothing_that_is_written_is_more_than_a_line() =>
        Gen.Select(Gen.Int[200, 599], Gen.String[0, 600], Gen.String[0, 600]).Sample((code, enhanced, text) =>
        {
            var line = Write(code, enhanced, text, isLast: true);
            return line.Length <= 512 && line.EndsWith("\r\n", StringComparison.Ordinal) && line[..^2].All(static c => c is >= ' ' and <= '~');
        });

    private static string Write(int code, string enhanced, string text, bool isLast)
    {
        var output = new ArrayBufferWriter<byte>();
        output.LmtpReply(code, enhanced, text, isLast);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
