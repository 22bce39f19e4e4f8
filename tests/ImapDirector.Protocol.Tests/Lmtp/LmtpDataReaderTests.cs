using CsCheck;
using ImapDirector.Protocol.Lmtp;
using Xunit;

namespace ImapDirector.Protocol.Tests.Lmtp;

public sealed class LmtpDataReaderTests
{
    private static readonly Gen<string> Wires = Gen.String[Gen.Char["\r\n..ab"], 0, 60];

    [Theory]
    [InlineData(".\r\n", "")]
    [InlineData("\r\n.\r\n", "\r\n")]
    [InlineData("a\r\n.\r\n", "a\r\n")]
    [InlineData("a\r\n..\r\n.\r\n", "a\r\n.\r\n")]
    [InlineData("..\r\n.\r\n", ".\r\n")]
    [InlineData(".a\r\n.\r\n", "a\r\n")]
    [InlineData("...\r\n.\r\n", "..\r\n")]
    [InlineData("a.\r\n.\r\n", "a.\r\n")]
    [InlineData("a\r\n. \r\n.\r\n", "a\r\n \r\n")]
    [InlineData("\u00ff\0\u0080\r\n.\r\n", "\u00ff\0\u0080\r\n")]
    public void A_message_is_un_stuffed_to_its_end(string wire, string message)
    {
        for (var cut = 1; cut <= wire.Length; cut++)
            Assert.Equal(new MessageReading(LmtpDataEnd.Complete, message, "QUIT\r\n"), MessageReading.Of(wire + "QUIT\r\n", cut));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData(".\r")]
    [InlineData("a\r\n")]
    [InlineData("a\r\n.")]
    [InlineData("a\r\n.\r")]
    [InlineData("a\r\n.a\r\n")]
    [InlineData("a\r\n..\r\n")]
    public void A_stream_that_ends_first_brings_no_message(string wire) => Assert.Equal(LmtpDataEnd.EndOfStream, MessageReading.Of(wire, 1).End);

    [Theory]
    [InlineData("a\nb\r\n.\r\n", "a\nb\r\n")]
    [InlineData("a\rb\r\n.\r\n", "a\rb\r\n")]
    [InlineData("a\r\r\n.\r\n", "a\r\r\n")]
    [InlineData("\n.\r\n\r\n.\r\n", "\n.\r\n\r\n")]
    [InlineData("a\r\n.\ra\r\n.\r\n", "a\r\n\ra\r\n")]
    [InlineData("a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n")]
    [InlineData("a\r\n.\n.\r\n\r\n.\r\n", "a\r\n\n.\r\n\r\n")]
    public void L1_A_bare_CR_or_LF_is_noted_and_never_ends_a_line(string wire, string message)
    {
        for (var cut = 1; cut <= wire.Length; cut++)
            Assert.Equal(new MessageReading(LmtpDataEnd.BareLineEnd, message, "QUIT\r\n"), MessageReading.Of(wire + "QUIT\r\n", cut));
    }

    [Fact]
    public void Any_cut_gives_the_same_message_and_leaves_the_same_bytes() =>
        Gen.Select(Wires, Gen.Int[1, 10].Array[1, 5]).Sample((wire, cuts) =>
        {
            var whole = MessageReading.Of(wire + "\r\n.\r\nQUIT");
            Assert.Equal(whole, MessageReading.Of(wire + "\r\n.\r\nQUIT", cuts));
        }, iter: 5000);

    [Fact]
    public void The_end_is_where_the_standard_has_it_and_nowhere_else() =>
        Wires.Sample(wire =>
        {
            var stream = wire + "\r\n.\r\n";
            // DATA's own CRLF comes before the message.
            var end = ("\r\n" + stream).IndexOf("\r\n.\r\n", StringComparison.Ordinal) + 3;
            var lines = stream[..(end - 3)].Split("\r\n");
            var message = string.Join("\r\n", lines.Select(static line => line.StartsWith('.') ? line[1..] : line));
            var bare = message.Replace("\r\n", "", StringComparison.Ordinal).AsSpan().ContainsAny('\r', '\n');
            var read = MessageReading.Of(stream, 3);
            Assert.Equal((message, stream[end..]), (read.Message, read.Rest));
            Assert.Equal(bare ? LmtpDataEnd.BareLineEnd : LmtpDataEnd.Complete, read.End);
        }, iter: 5000);

    [Fact]
    public void What_was_stuffed_comes_out_as_it_was() =>
        Gen.Select(Wires, Gen.Int[1, 10].Array[1, 5]).Sample((message, cuts) =>
        {
            var complete = message.Length == 0 || message.EndsWith("\r\n", StringComparison.Ordinal) ? message : message + "\r\n";
            var read = MessageReading.Of(MessageReading.Stuffed(message) + "QUIT", cuts);
            Assert.Equal((complete, "QUIT"), (read.Message, read.Rest));
        }, iter: 5000);

    [Theory]
    [InlineData(16 * 1024 - 3)]
    [InlineData(16 * 1024 - 2)]
    [InlineData(16 * 1024 - 1)]
    [InlineData(16 * 1024)]
    [InlineData(200_000)]
    public void A_message_larger_than_a_chunk_is_read_whole(int length)
    {
        var message = new string('a', length) + "\r\n.dot\r\n";
        Assert.Equal(new MessageReading(LmtpDataEnd.Complete, message, ""), MessageReading.Of(MessageReading.Stuffed(message)));
    }
}
