using System.IO.Pipelines;
using System.Text;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class BackendResponseReaderTests
{
    private static BackendResponse Parse(string line) => BackendResponseReader.Parse(Encoding.Latin1.GetBytes(line));

    private static async Task<(PipeReader Input, BackendResponseReader Reader)> Reading(string bytes, bool completed = true)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(Encoding.Latin1.GetBytes(bytes));
        if (completed) await pipe.Writer.CompleteAsync();
        return (pipe.Reader, new BackendResponseReader(pipe.Reader));
    }

    [Theory]
    [InlineData("* OK [CAPABILITY IMAP4rev1 IDLE] Hello\r\n", BackendResponseKind.Untagged, "", ImapStatus.Ok, "CAPABILITY", "IMAP4rev1 IDLE", "Hello")]
    [InlineData("* preauth hi\r\n", BackendResponseKind.Untagged, "", ImapStatus.PreAuth, "", "", "hi")]
    [InlineData("* BYE\r\n", BackendResponseKind.Untagged, "", ImapStatus.Bye, "", "", "")]
    [InlineData("A1 OK Logged in\r\n", BackendResponseKind.Tagged, "A1", ImapStatus.Ok, "", "", "Logged in")]
    [InlineData("A1 NO [authenticationfailed] \u00e9\r\n", BackendResponseKind.Tagged, "A1", ImapStatus.No, "AUTHENTICATIONFAILED", "", "?")]
    [InlineData("A1 NO [REFERRAL imap://u@h/] Go\r\n", BackendResponseKind.Tagged, "A1", ImapStatus.No, "REFERRAL", "imap://u@h/", "Go")]
    [InlineData("A1 BAD [oops\r\n", BackendResponseKind.Tagged, "A1", ImapStatus.Bad, "", "", "[oops")]
    [InlineData("+ \r\n", BackendResponseKind.Continuation, "", ImapStatus.Ok, "", "", "")]
    [InlineData("+\r\n", BackendResponseKind.Continuation, "", ImapStatus.Ok, "", "", "")]
    [InlineData("+ eyJ9\r\n", BackendResponseKind.Continuation, "", ImapStatus.Ok, "", "", "eyJ9")]
    [InlineData("* ID (\"name\" \"x\")\r\n", BackendResponseKind.Data, "", ImapStatus.Ok, "", "", "ID (\"name\" \"x\")")]
    public void Each_line_is_told_apart(string line, BackendResponseKind kind, string tag, ImapStatus status, string code, string arguments, string text) =>
        Assert.Equal(new BackendResponse(kind, tag, status, code, arguments, text), Parse(line));

    [Theory]
    [InlineData("\r\n")]
    [InlineData("* OK bare line feed\n")]
    [InlineData("* OK carriage\rreturn\r\n")]
    [InlineData("* OK nul\0\r\n")]
    [InlineData("A1\r\n")]
    [InlineData("A1 PREAUTH no\r\n")]
    [InlineData("A1 BYE no\r\n")]
    [InlineData("A(1 OK no\r\n")]
    [InlineData(" OK no\r\n")]
    [InlineData("+OK pop3\r\n")]
    [InlineData("* ID (\"name\" {5}\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n")]
    public void What_is_no_response_is_malformed(string line) => Assert.Equal(BackendResponseKind.Malformed, Parse(line).Kind);

    [Theory]
    [InlineData("* CAPABILITY imap4rev1 SASL-IR\r\n", "IMAP4REV1,SASL-IR")]
    [InlineData("* OK [CAPABILITY IMAP4rev1] x\r\n", "IMAP4REV1")]
    [InlineData("* CAPABILITY\r\n", null)]
    [InlineData("* OK [CAPABILITY] x\r\n", null)]
    [InlineData("A1 OK [CAPABILITY  ] x\r\n", null)]
    [InlineData("* CAPABILITYX y\r\n", null)]
    [InlineData("* OK CAPABILITY x\r\n", null)]
    public void Capabilities_are_found_in_data_and_in_codes(string line, string? expected) =>
        Assert.Equal(expected, Parse(line).Capabilities() is { } words ? string.Join(",", words) : null);

    [Theory]
    [InlineData(4095, BackendResponseKind.Untagged)]
    [InlineData(4096, BackendResponseKind.Untagged)]
    [InlineData(4097, BackendResponseKind.TooLong)]
    public async Task R3_A_line_has_at_most_4096_bytes(int bytes, BackendResponseKind kind)
    {
        var (_, reader) = await Reading("* OK " + new string('x', bytes - 7) + "\r\n");
        Assert.Equal(kind, (await reader.ReadAsync(default)).Kind);
    }

    [Fact]
    public async Task R3_A_line_without_an_end_is_given_up_at_the_limit()
    {
        var (_, reader) = await Reading(new string('x', 5000), completed: false);
        Assert.Equal(BackendResponseKind.TooLong, (await reader.ReadAsync(default)).Kind);
    }

    [Fact]
    public async Task R3_At_most_20_lines_are_read()
    {
        var (_, reader) = await Reading(string.Concat(Enumerable.Repeat("* OK x\r\n", 21)));
        for (var i = 0; i < 20; i++) Assert.True((await reader.ReadAsync(default)).IsLine);
        var last = await reader.ReadAsync(default);
        Assert.Equal(BackendResponseKind.TooMany, last.Kind);
        Assert.False(last.IsLine);
    }

    [Fact]
    public async Task A_line_cut_into_single_bytes_is_the_same_line()
    {
        var pipe = new Pipe();
        var reader = new BackendResponseReader(pipe.Reader);
        var reading = reader.ReadAsync(default).AsTask();
        foreach (var value in "* OK [X y] z\r\n"u8.ToArray()) await pipe.Writer.WriteAsync(new[] { value });
        Assert.Equal(Parse("* OK [X y] z\r\n"), await reading);
    }

    [Fact]
    public async Task What_follows_the_line_stays_in_the_pipe()
    {
        var (input, reader) = await Reading("A1 OK in\r\n* 5 EXISTS\r\n");
        Assert.Equal(BackendResponseKind.Tagged, (await reader.ReadAsync(default)).Kind);
        var rest = await input.ReadAsync();
        Assert.Equal("* 5 EXISTS\r\n", Encoding.ASCII.GetString(rest.Buffer));
    }

    [Fact]
    public async Task A_backend_that_closes_in_the_middle_of_a_line_is_the_end()
    {
        var (_, reader) = await Reading("* OK half");
        Assert.Equal(BackendResponseKind.EndOfStream, (await reader.ReadAsync(default)).Kind);
    }
}
