using System.IO.Pipelines;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class ImapCommandReaderTests
{
    private static readonly CommandLimits After = CommandLimits.AfterLogin;

    private static string End => "EndOfStream  \n";

    private static string Command(string bytes) => $"Command  {bytes}\n".ReplaceLineEndings("\n");

    [Theory]
    [InlineData("a NOOP\r\nb NOOP\r\n", "a NOOP\r\n|b NOOP\r\n")]
    [InlineData("a LOGIN {3}\r\njoe {2}\r\npw\r\n", "+|+|a LOGIN {3}\r\njoe {2}\r\npw\r\n")]
    [InlineData("a LOGIN {3+}\r\njoe {2+}\r\npw\r\n", "a LOGIN {3+}\r\njoe {2+}\r\npw\r\n")]
    [InlineData("a LOGIN {0+}\r\n {0+}\r\n\r\n", "a LOGIN {0+}\r\n {0+}\r\n\r\n")]
    [InlineData("a X ({4+}\r\n\"{1}\"\r\n", "a X ({4+}\r\n\"{1}\"\r\n")]
    [InlineData("a X ~{2+}\r\nhi\r\n", "a X ~{2+}\r\nhi\r\n")]
    [InlineData("a X {0003+}\r\nabc\r\n", "a X {0003+}\r\nabc\r\n")]
    [InlineData("a X \"{5}\r\nb NOOP\r\n", "a X \"{5}\r\n|b NOOP\r\n")]
    [InlineData("a X \" {5+}\r\nb NOOP\r\n", "a X \" {5+}\r\n|b NOOP\r\n")]
    [InlineData("a X \"\\\" {5+}\r\nb NOOP\r\n", "a X \"\\\" {5+}\r\n|b NOOP\r\n")]
    [InlineData("a X \"\\\\\" {5+}\r\nb XYZ\r\n", "a X \"\\\\\" {5+}\r\nb XYZ\r\n")]
    [InlineData("a X y\" {3+}\r\nabc\r\n", "a X y\" {3+}\r\nabc\r\n")]
    [InlineData("a X foo{5+}\r\nb NOOP\r\n", "a X foo{5+}\r\n|b NOOP\r\n")]
    [InlineData("a X {}\r\nb NOOP\r\n", "a X {}\r\n|b NOOP\r\n")]
    [InlineData("a X {5-}\r\nb NOOP\r\n", "a X {5-}\r\n|b NOOP\r\n")]
    [InlineData("a X {5++}\r\nb NOOP\r\n", "a X {5++}\r\n|b NOOP\r\n")]
    [InlineData("a X {-5}\r\nb NOOP\r\n", "a X {-5}\r\n|b NOOP\r\n")]
    [InlineData("a X {5} \r\nb NOOP\r\n", "a X {5} \r\n|b NOOP\r\n")]
    [InlineData("a X {5}\r\r\nb NOOP\r\n", "a X {5}\r\r\n|b NOOP\r\n")]
    [InlineData("a NOOP\nb NOOP\r\n", "a NOOP\n|b NOOP\r\n")]
    [InlineData("a X {5}\nb NOOP\r\n", "a X {5}\n|b NOOP\r\n")]
    [InlineData("a X {5+}\nabcde\r\nb NOOP\r\n", "a X {5+}\nabcde\r\n|b NOOP\r\n")]
    [InlineData("\r\n", "\r\n")]
    [InlineData("a NOOP", "")]
    [InlineData("a X {5+}\r\nab", "")]
    public void Commands_are_cut_where_they_end(string stream, string events)
    {
        var expected = string.Concat(events.Split('|').Where(e => e.Length > 0).Select(e => e == "+" ? "+\n" : Command(e))) + End;
        Assert.Equal(expected, ReadingScript.Of(stream, After));
        Assert.Equal(expected, ReadingScript.Of(stream, After, 1));
    }

    [Theory]
    [InlineData(8191, FrameKind.Command)]
    [InlineData(8192, FrameKind.Command)]
    [InlineData(8193, FrameKind.LineTooLong)]
    public async Task P1_A_line_before_login_has_at_most_8_KiB(int bytes, FrameKind kind)
    {
        foreach (var sizes in new[] { new[] { 100_000 }, [1000], [1] })
        {
            var script = ReadingScript.Over("tag " + new string('x', bytes - 6) + "\r\nb NOOP\r\n", CommandLimits.BeforeLogin, sizes);
            var frame = await script.Reader.ReadAsync(default);
            Assert.Equal(kind, frame.Kind);
            Assert.Equal(kind == FrameKind.Command ? null : "tag", frame.Tag);
            Assert.Equal("b NOOP\r\n", ReadingScript.Text((await script.Reader.ReadAsync(default)).Bytes));
        }
    }

    [Theory]
    [InlineData(65535, FrameKind.Command)]
    [InlineData(65536, FrameKind.Command)]
    [InlineData(65537, FrameKind.LineTooLong)]
    public async Task N1_A_line_after_login_has_at_most_64_KiB_without_its_literals(int bytes, FrameKind kind)
    {
        var line = "tag {10+}\r\n";
        var script = ReadingScript.Over(line + "0123456789" + new string('x', bytes - line.Length - 2) + "\r\n", After, 4096);
        Assert.Equal(kind, (await script.Reader.ReadAsync(default)).Kind);
    }

    [Theory]
    [InlineData(1023, FrameKind.Command)]
    [InlineData(1024, FrameKind.Command)]
    [InlineData(1025, FrameKind.LiteralTooBig)]
    public async Task P4_A_literal_before_login_has_at_most_1_KiB_and_more_is_not_asked_for(int bytes, FrameKind kind)
    {
        var asked = 0;
        var pipe = new Pipe();
        var reader = new ImapCommandReader(pipe.Reader, CommandLimits.BeforeLogin, async token =>
        {
            asked++;
            await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes(new string('x', bytes) + "\r\n"), token);
        });
        await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes($"t1 LOGIN {{{bytes}}}\r\n"));
        var frame = await reader.ReadAsync(default);
        Assert.Equal(kind, frame.Kind);
        Assert.Equal(kind == FrameKind.Command ? 1 : 0, asked);
        Assert.Equal(kind == FrameKind.Command ? null : "t1", frame.Tag);
    }

    [Theory]
    [InlineData(1024, FrameKind.Command)]
    [InlineData(1025, FrameKind.Flood)]
    [InlineData(long.MaxValue, FrameKind.Flood)]
    public async Task P4_A_non_synchronizing_literal_above_1_KiB_before_login_ends_the_connection(long bytes, FrameKind kind)
    {
        var script = ReadingScript.Over($"t1 LOGIN {{{bytes}+}}\r\n{new string('x', 1024)}\r\n", CommandLimits.BeforeLogin, 700);
        Assert.Equal(kind, (await script.Reader.ReadAsync(default)).Kind);
    }

    [Fact]
    public async Task A_user_name_and_a_password_of_1_KiB_each_go_through_before_login()
    {
        var kib = "{1024+}\r\n" + new string('x', 1024);
        var script = ReadingScript.Over($"a LOGIN {kib} {kib}\r\nb X {kib} {kib} {kib}\r\nc NOOP\r\n", CommandLimits.BeforeLogin);
        Assert.Equal(FrameKind.Command, (await script.Reader.ReadAsync(default)).Kind);
        Assert.Equal((FrameKind.LiteralTooBig, "b"), await script.Reader.ReadAsync(default) is var f ? (f.Kind, f.Tag) : default);
        Assert.Equal("c NOOP\r\n", ReadingScript.Text((await script.Reader.ReadAsync(default)).Bytes));
    }

    [Theory]
    [InlineData("99999999999999999999999999")]
    [InlineData("18446744073709551621")]
    [InlineData("4294967301")]
    public async Task A_length_beyond_every_number_does_not_wrap(string length)
    {
        var script = ReadingScript.Over($"a X {{{length}}}\r\nb X {{{length}+}}\r\n", After);
        Assert.Equal((FrameKind.LiteralTooBig, "a"), await script.Reader.ReadAsync(default) is var f ? (f.Kind, f.Tag) : default);
        Assert.Equal((FrameKind.Flood, "b"), await script.Reader.ReadAsync(default) is var g ? (g.Kind, g.Tag) : default);
        Assert.Equal(FrameKind.Flood, (await script.Reader.ReadAsync(default)).Kind);
    }

    [Fact]
    public void What_is_skipped_is_skipped_with_its_literals_and_nothing_of_it_is_taken_for_a_command()
    {
        var limits = new CommandLimits(40, 10, 100, AllowAppend: true);
        var stream = "a X {11+}\r\nb NOOP\r\n... {9+}\r\nc NOOP\r\n.\r\n"
            + "d X " + new string('y', 50) + " {8+}\r\ne NOOP\r\n\r\n"
            + "f X " + new string('y', 50) + " {8}\r\n"
            + "g X {6+}\r\n123456 {6}\r\n"
            + "h NOOP\r\n";
        Assert.Equal("LiteralTooBig a \nLineTooLong d \nLineTooLong f \nLiteralTooBig g \n" + Command("h NOOP\r\n") + End, ReadingScript.Of(stream, limits, 3));
    }

    [Fact]
    public void Literals_that_are_skipped_are_counted_together()
    {
        var limits = new CommandLimits(200, 10, 100, AllowAppend: true);
        var literal = "{40+}\r\n" + new string('x', 40);
        Assert.Equal("LiteralTooBig a \n" + End, ReadingScript.Of($"a {literal} {literal}\r\n", limits));
        Assert.Equal("Flood a \n", ReadingScript.Of($"a {literal} {literal} {literal}\r\n", limits));
    }

    [Fact]
    public void A_line_that_never_ends_is_a_flood() =>
        Assert.Equal("Flood a \n", ReadingScript.Of("a " + new string('x', CommandLimits.MaxSkippedLineBytes), After, 16_384));

    [Theory]
    [InlineData("a append INBOX {4}\r\nmail\r\n", "Command  a append INBOX {4}\r\n\n+\nmessage True mail\nCommand  \n")]
    [InlineData("a APPEND INBOX (\\Seen) \" 7-Jul-2026 01:02:03 +0000\" {4+}\r\nmail\r\n",
        "Command  a APPEND INBOX (\\Seen) \" 7-Jul-2026 01:02:03 +0000\" {4+}\r\n\nmessage True mail\nCommand  \n")]
    [InlineData("a APPEND {5+}\r\nINBOX {4+}\r\nmail\r\n", "Command  a APPEND {5+}\r\nINBOX {4+}\r\n\nmessage True mail\nCommand  \n")]
    [InlineData("a APPEND {5}\r\nINBOX ~{4}\r\nmail\r\n", "+\nCommand  a APPEND {5}\r\nINBOX ~{4}\r\n\n+\nmessage True mail\nCommand  \n")]
    [InlineData("a APPEND INBOX {4+}\r\nmail {4+}\r\nmore\r\n", "Command  a APPEND INBOX {4+}\r\n\nmessage True mail\nCommand   {4+}\r\n\nmessage True more\nCommand  \n")]
    [InlineData("a APPEND INBOX {4+}\r\nmail (\\Seen) {3}\r\n", "Command  a APPEND INBOX {4+}\r\n\nmessage True mail\nCommand   (\\Seen) {3}\r\n\nskipped True\n")]
    [InlineData("a APPEND INBOX {4+}\r\nmail {3+}\r\nodd {2+}\r\nno\r\n", "Command  a APPEND INBOX {4+}\r\n\nmessage True mail\nCommand   {3+}\r\n\nskipped True\n")]
    [InlineData("a UID REPLACE 7 INBOX UTF8 (~{4+}\r\nmail)\r\n", "Command  a UID REPLACE 7 INBOX UTF8 (~{4+}\r\n\nmessage True mail\nCommand  )\n")]
    [InlineData("a replace 7 {5+}\r\nINBOX {4+}\r\nmail\r\n", "Command  a replace 7 {5+}\r\nINBOX {4+}\r\n\nmessage True mail\nCommand  \n")]
    [InlineData("a APPEND INBOX {4+}\r\nmailbox\r\n", "Command  a APPEND INBOX {4+}\r\n\nmessage True mail\nCommand  box\n")]
    [InlineData("a APPEND INBOX {3+}\r\nodd {2+}\r\nab\r\n", "Command  a APPEND INBOX {3+}\r\n\nskipped True\n")]
    [InlineData("a APPEND INBOX {3}\r\n", "Command  a APPEND INBOX {3}\r\n\nskipped True\n")]
    [InlineData("a APPEND INBOX bogus {3+}\r\nodd {2+}\r\nab\r\n", "Command  a APPEND INBOX bogus {3+}\r\n\n")]
    [InlineData("a APPEND INBOX bogus {3}\r\n", "Command  a APPEND INBOX bogus {3}\r\n\n")]
    public void The_message_of_APPEND_is_left_to_the_session(string stream, string events)
    {
        var expected = (events + Command("z NOOP\r\n")).ReplaceLineEndings("\n") + End;
        Assert.Equal(expected, ReadingScript.Of(stream + "z NOOP\r\n", After));
        Assert.Equal(expected, ReadingScript.Of(stream + "z NOOP\r\n", After, 1));
    }

    [Fact]
    public void A_message_the_client_breaks_off_is_not_whole() =>
        Assert.Equal("Command  a APPEND x {4+}\r\n\nmessage False ma\n".ReplaceLineEndings("\n") + End, ReadingScript.Of("a APPEND x {4+}\r\nma", After));

    [Fact]
    public void Before_login_APPEND_is_a_command_like_any_other() =>
        Assert.Equal(Command("a APPEND x {4+}\r\nmail\r\n") + End, ReadingScript.Of("a APPEND x {4+}\r\nmail\r\n", CommandLimits.BeforeLogin));

    [Fact]
    public async Task A_message_too_large_to_skip_ends_the_connection()
    {
        var script = ReadingScript.Over($"a APPEND x {{{After.MaxSkippedLiteralBytes + 1}+}}\r\nabc", After);
        Assert.Equal(FrameKind.Command, (await script.Reader.ReadAsync(default)).Kind);
        Assert.False(await script.Reader.SkipLiteralAsync(new LiteralHeader(After.MaxSkippedLiteralBytes + 1, Synchronizing: false, Binary: false), default));
        Assert.Equal(FrameKind.Flood, (await script.Reader.ReadAsync(default)).Kind);
    }

    [Fact]
    public async Task After_a_sink_failed_the_rest_of_the_message_is_skipped()
    {
        var script = ReadingScript.Over("a APPEND x {20+}\r\n" + "b NOOP\r\nb NOOP\r\n1234" + "\r\nc NOOP\r\n", After, 7);
        await script.Reader.ReadAsync(default);
        await Assert.ThrowsAsync<IOException>(async () =>
            await script.Reader.CopyLiteralAsync(new LiteralHeader(20, false, false), (_, _) => throw new IOException("The disk is full."), default));
        Assert.Equal("c NOOP\r\n", ReadingScript.Text((await script.Reader.ReadAsync(default)).Bytes));
    }

    [Fact]
    public async Task A_message_is_handed_on_in_pieces_as_it_arrives()
    {
        var script = ReadingScript.Over("a APPEND x {100000+}\r\n" + new string('m', 100_000) + "\r\n", After, 1000);
        await script.Reader.ReadAsync(default);
        var pieces = new List<int>();
        await script.Reader.CopyLiteralAsync(new LiteralHeader(100_000, false, false), (piece, _) =>
        {
            pieces.Add(piece.Length);
            return ValueTask.CompletedTask;
        }, default);
        Assert.Equal(100_000, pieces.Sum());
        Assert.True(pieces.Max() <= 1000, "a piece is never larger than what has arrived");
    }

    [Theory]
    [InlineData("DONE\r\nx", "DONE")]
    [InlineData("\r\nx", "")]
    [InlineData("DONE\nx", "DONE\n")]
    [InlineData("a \" {5}\r\nx", "a \" {5}")]
    public async Task A_line_is_read_without_its_CRLF_and_is_no_command(string stream, string line)
    {
        var script = ReadingScript.Over(stream, After, 1);
        Assert.Equal(line, ReadingScript.Text((await script.Reader.ReadLineAsync(default)).Bytes));
        Assert.Equal(stream.Length - 1, script.Input.BytesConsumed);
    }

    [Theory]
    [InlineData(8191, FrameKind.Command)]
    [InlineData(8192, FrameKind.Command)]
    [InlineData(8193, FrameKind.LineTooLong)]
    public async Task P2_A_SASL_response_has_at_most_8_KiB(int bytes, FrameKind kind)
    {
        var script = ReadingScript.Over(new string('x', bytes - 2) + "\r\nDONE\r\n", CommandLimits.BeforeLogin, 3000);
        Assert.Equal(kind, (await script.Reader.ReadLineAsync(default)).Kind);
        Assert.Equal("DONE", ReadingScript.Text((await script.Reader.ReadLineAsync(default)).Bytes));
    }

    [Fact]
    public async Task Nothing_behind_the_command_is_taken_from_the_pipe()
    {
        var script = ReadingScript.Over("a STARTTLS\r\nb LOGIN x y\r\n", CommandLimits.BeforeLogin);
        await script.Reader.ReadAsync(default);
        Assert.Equal("a STARTTLS\r\n".Length, script.Input.BytesConsumed);
    }

    [Fact]
    public async Task A_read_that_was_cancelled_goes_on_where_it_was()
    {
        var pipe = new Pipe();
        var reader = new ImapCommandReader(pipe.Reader, After, _ => ValueTask.CompletedTask);
        await pipe.Writer.WriteAsync("a X {3+}\r\nab"u8.ToArray());
        using var cancel = new CancellationTokenSource();
        var reading = reader.ReadAsync(cancel.Token).AsTask();
        Assert.False(reading.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        pipe.Reader.CancelPendingRead();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reader.ReadAsync(default));
        await pipe.Writer.WriteAsync("c\r\n"u8.ToArray());
        Assert.Equal("a X {3+}\r\nabc\r\n", ReadingScript.Text((await reader.ReadAsync(default)).Bytes));
    }

    [Fact]
    public async Task The_bytes_of_a_frame_are_wiped_when_it_is_forgotten()
    {
        var script = ReadingScript.Over("a LOGIN joe secret\r\n", CommandLimits.BeforeLogin);
        var frame = await script.Reader.ReadAsync(default);
        var bytes = frame.Bytes.First;
        script.Reader.ForgetFrame();
        Assert.DoesNotContain("secret", Encoding.ASCII.GetString(bytes.Span));
    }

    [Fact]
    public async Task Single_byte_packets_are_looked_at_once_each()
    {
        foreach (var length in new[] { 20_000, 40_000 })
        {
            var bytes = Encoding.ASCII.GetBytes("a " + new string('(', length) + "\r\n");
            var input = new ImapDirector.Tests.Shared.CutPipeReader(bytes, 1);
            var reader = new ImapCommandReader(input, After, _ => ValueTask.CompletedTask);
            Assert.Equal(FrameKind.Command, (await reader.ReadAsync(default)).Kind);
            Assert.Equal(bytes.Length, input.BytesShown);
        }
    }

    private static readonly string[] Fragments =
    [
        "a ", "APPEND ", "append ", "x ", "{3}\r\n", "{3+}\r\n", "{40+}\r\n", "{0+}\r\n", "~{2+}\r\n", "{2}\n", "{2+}\n", "abc", "\"", "\\", "\\\"",
        " ", "(", ")", "{", "}", "\r\n", "\n", "\r", "\0", "{9999999999999999999999}\r\n", "b NOOP\r\n", "{5", "+}", "INBOX ", "\u00ff", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
    ];

    [Fact]
    public void What_is_read_does_not_depend_on_how_packets_are_cut() =>
        Gen.Select(Gen.Int[0, Fragments.Length - 1].Select(i => Fragments[i]).Array[0, 25], Gen.Int[1, 12].Array[1, 5]).Sample((fragments, sizes) =>
        {
            var limits = new CommandLimits(60, 20, 50, AllowAppend: true);
            var stream = Encoding.Latin1.GetBytes(string.Concat(fragments) + "\r\n");
            var whole = ReadingScript.Of(stream, limits);
            Assert.Equal(whole, ReadingScript.Of(stream, limits, sizes));
            Assert.Equal(whole, ReadingScript.Of(stream, limits, 1));
        }, iter: 5000);
}
