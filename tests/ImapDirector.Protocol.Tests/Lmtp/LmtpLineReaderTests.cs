using System.IO.Pipelines;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Lmtp;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Protocol.Tests.Lmtp;

public sealed class LmtpLineReaderTests
{
    [Fact]
    public async Task Lines_are_read_one_by_one_and_what_is_behind_them_stays()
    {
        var input = new CutPipeReader("NOOP\r\nDATA\r\n.\r\n"u8.ToArray());
        var reader = new LmtpLineReader(input);
        Assert.Equal("NOOP", Text(await reader.ReadAsync(default)));
        Assert.Equal("DATA", Text(await reader.ReadAsync(default)));
        Assert.Equal(12, input.BytesConsumed);
    }

    [Fact]
    public async Task A_bare_LF_ends_a_line_and_stays_in_it()
    {
        var reader = new LmtpLineReader(new CutPipeReader("NOOP\nQ\rUIT\r\n\r\n"u8.ToArray()));
        Assert.Equal("NOOP\n", Text(await reader.ReadAsync(default)));
        Assert.Equal("Q\rUIT", Text(await reader.ReadAsync(default)));
        Assert.Equal("", Text(await reader.ReadAsync(default)));
    }

    [Theory]
    [InlineData(4095, LmtpLineKind.Line)]
    [InlineData(4096, LmtpLineKind.Line)]
    [InlineData(4097, LmtpLineKind.TooLong)]
    [InlineData(100_000, LmtpLineKind.TooLong)]
    public async Task L2_A_line_has_at_most_4096_bytes_with_its_end_and_the_next_one_is_read_as_ever(int bytes, LmtpLineKind kind)
    {
        var stream = Encoding.ASCII.GetBytes(new string('x', bytes - 2) + "\r\nQUIT\r\n");
        foreach (var cut in new[] { stream.Length, 4096, 4095, 1000, 7 })
        {
            var reader = new LmtpLineReader(new CutPipeReader(stream, cut));
            Assert.Equal(kind, (await reader.ReadAsync(default)).Kind);
            Assert.Equal("QUIT", Text(await reader.ReadAsync(default)));
            Assert.Equal(LmtpLineKind.EndOfStream, (await reader.ReadAsync(default)).Kind);
        }
    }

    [Fact]
    public async Task A_line_that_the_client_left_unfinished_counts_for_nothing() =>
        Assert.Equal(LmtpLineKind.EndOfStream, (await new LmtpLineReader(new CutPipeReader("QUIT\r"u8.ToArray())).ReadAsync(default)).Kind);

    [Fact]
    public async Task Only_a_whole_line_that_has_arrived_is_taken_without_waiting()
    {
        var pipe = new Pipe();
        var reader = new LmtpLineReader(pipe.Reader);
        Assert.False(reader.TryRead(out _));
        await pipe.Writer.WriteAsync("NOOP\r\nQUI"u8.ToArray());
        Assert.True(reader.TryRead(out var line));
        Assert.Equal("NOOP", Text(line));
        Assert.False(reader.TryRead(out _));
        await pipe.Writer.WriteAsync("T\r\n"u8.ToArray());
        Assert.Equal("QUIT", Text(await reader.ReadAsync(default)));
    }

    [Fact]
    public async Task Nothing_is_lost_by_a_wait_that_was_given_up()
    {
        var pipe = new Pipe();
        var reader = new LmtpLineReader(pipe.Reader);
        await pipe.Writer.WriteAsync("NO"u8.ToArray());
        using var patience = new CancellationTokenSource();
        var waiting = reader.ReadAsync(patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
        await pipe.Writer.WriteAsync("OP\r\n"u8.ToArray());
        Assert.Equal("NOOP", Text(await reader.ReadAsync(default)));
    }

    [Fact]
    public void Any_cut_gives_the_same_lines()
    {
        var lines = Gen.String[Gen.Char["\r\nab"], 0, 20];
        var longOnes = Gen.Int[4080, 4110].Select(static length => new string('x', length));
        Gen.Select(Gen.Frequency((9, lines), (1, longOnes)).List[0, 8], Gen.Int[1, 50].Array[1, 4]).Sample((parts, cuts) =>
        {
            var bytes = Encoding.ASCII.GetBytes(string.Join("\r\n", parts));
            Assert.Equal(ReadAll(new CutPipeReader(bytes)), ReadAll(new CutPipeReader(bytes, cuts)));
        }, iter: 500);
    }

    private static List<string> ReadAll(CutPipeReader input)
    {
        var reader = new LmtpLineReader(input);
        var all = new List<string>();
        while (true)
        {
            var line = reader.ReadAsync(default).AsTask().GetAwaiter().GetResult();
            if (line.Kind == LmtpLineKind.EndOfStream) return all;
            all.Add(line.Kind + Text(line));
        }
    }

    private static string Text(LmtpLine line) => Encoding.ASCII.GetString(line.Bytes.Span);
}
