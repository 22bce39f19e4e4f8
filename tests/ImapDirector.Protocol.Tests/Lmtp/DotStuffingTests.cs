using System.IO.Pipelines;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Lmtp;
using Xunit;

namespace ImapDirector.Protocol.Tests.Lmtp;

public sealed class DotStuffingTests
{
    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData(".", "..\r\n.\r\n")]
    [InlineData("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("a\r\n..b\r\n", "a\r\n...b\r\n.\r\n")]
    [InlineData("a\n.\nb", "a\n.\nb\r\n.\r\n")]
    [InlineData("a\r.\r", "a\r.\r\r\n.\r\n")]
    [InlineData("a\r\r\n.", "a\r\r\n..\r\n.\r\n")]
    public async Task A_line_that_begins_with_a_dot_gets_one_more(string message, string wire) =>
        Assert.Equal(wire, await StuffAsync(message));

    [Fact]
    public void L1_the_end_appears_once_at_the_end_and_the_message_is_what_a_strict_reader_gets_back() =>
        Gen.String[Gen.Char["\r\n.a"], 0, 200].Sample(message =>
        {
            var wire = StuffAsync(message).GetAwaiter().GetResult();
            var end = ("\r\n" + wire).IndexOf("\r\n.\r\n", StringComparison.Ordinal);
            var read = ("\r\n" + wire)[2..].Replace("\r\n..", "\r\n.", StringComparison.Ordinal);
            if (wire.StartsWith("..", StringComparison.Ordinal)) read = read[1..];
            var complete = message.Length == 0 || message.EndsWith("\r\n", StringComparison.Ordinal) ? message : message + "\r\n";
            return end == wire.Length - 3 && read == complete + ".\r\n";
        });

    [Fact]
    public async Task A_dot_that_begins_a_line_at_the_edge_of_a_chunk_is_seen()
    {
        for (var length = 16_380; length <= 16_390; length++)
        {
            var message = new string('a', length) + "\r\n.b\r\n";
            Assert.Equal(new string('a', length) + "\r\n..b\r\n.\r\n", await StuffAsync(message));
        }
    }

    private static async Task<string> StuffAsync(string message)
    {
        using var wire = new MemoryStream();
        var output = PipeWriter.Create(wire);
        await DotStuffing.WriteAsync(new MemoryStream(Encoding.Latin1.GetBytes(message)), output, CancellationToken.None);
        await output.CompleteAsync();
        return Encoding.Latin1.GetString(wire.ToArray());
    }
}
