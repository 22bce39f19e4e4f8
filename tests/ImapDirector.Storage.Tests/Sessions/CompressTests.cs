using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>COMPRESS=DEFLATE (RFC 4978).</summary>
public sealed class CompressTests
{
    [Fact]
    public async Task Both_sides_compress_from_behind_the_answer_on()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("COMPRESS DEFLATE");
        await client.StartTlsAsync(static stream => Task.FromResult<Stream>(new Deflated(stream)));
        Assert.StartsWith("NO [COMPRESSIONACTIVE]", (await client.CommandAsync("COMPRESS DEFLATE"))[^1], StringComparison.Ordinal);
        var message = "Subject: x\r\n\r\n" + string.Concat(Enumerable.Repeat("The same again and again.\r\n", 5000));
        await client.AppendAsync("INBOX", message);
        await client.OkAsync("SELECT INBOX");
        await client.SendLineAsync("f FETCH 1 BODY.PEEK[]");
        Assert.Equal($"* 1 FETCH (BODY[] {{{message.Length}}}", await client.ReadLineAsync());
        Assert.Equal(message, Encoding.ASCII.GetString(await client.ReadBytesAsync(message.Length)));
        Assert.Equal(")", await client.ReadLineAsync());
        Assert.StartsWith("f OK", await client.ReadLineAsync(), StringComparison.Ordinal);
        await client.SendLineAsync("i IDLE");
        Assert.Equal("+ idling", await client.ReadLineAsync());
        await using var other = await node.LogInAsync();
        await other.AppendAsync("INBOX", "Subject: y\r\n\r\n");
        Assert.Equal("* 2 EXISTS", await client.ReadLineAsync());
        await client.SendLineAsync("DONE");
        Assert.StartsWith("* 2 RECENT", await client.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("i OK", await client.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, false, true)]
    [InlineData(null, true, false)]
    [InlineData(true, true, true)]
    [InlineData(false, false, false)]
    public async Task It_is_offered_where_it_is_switched_on_and_by_itself_only_without_directors_keys(bool? setting, bool hasKeys, bool offered)
    {
        using var key = new DirectorKey();
        await using var node = await RunningNode.StartAsync(options => (hasKeys ? key.Use(options) : options) with { Compress = setting });
        await using var client = await node.ConnectAsync();
        var before = Assert.Single(await client.OkAsync("CAPABILITY"));
        await client.SendLineAsync($"l AUTHENTICATE PLAIN {RunningNode.Credentials(RunningNode.User)}");
        var login = await client.ReadLineAsync();
        var after = Assert.Single(await client.OkAsync("CAPABILITY"));
        foreach (var line in new[] { before, login!, after }) Assert.Equal(offered, line.Contains(" COMPRESS=DEFLATE", StringComparison.Ordinal));
        Assert.StartsWith(offered ? "OK " : "NO [CANNOT] ", (await client.CommandAsync("COMPRESS DEFLATE"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_data_ends_the_session_and_nothing_else()
    {
        await using var node = await RunningNode.StartAsync();
        await using var other = await node.LogInAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("COMPRESS DEFLATE");
        await client.SendLineAsync("a NOOP, in the clear, with more than the few bytes that may look like data by chance");
        while (await client.ReadLineAsync() is not null)
        {
            // Whatever is said is not for a client that does not compress.
        }
        await other.OkAsync("NOOP");
    }

    [Fact]
    public async Task A_line_that_unpacks_to_many_megabytes_ends_the_session()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("COMPRESS DEFLATE");
        await client.StartTlsAsync(static stream => Task.FromResult<Stream>(new Deflated(stream)));
        try
        {
            for (var i = 0; i < 64; i++) await client.SendAsync(new string('x', 1024 * 1024));
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            // Before all of it was sent.
        }
        var lines = new List<string>();
        while (await client.ReadLineAsync() is { } line) lines.Add(line);
        Assert.Contains("* BYE Too many bad commands.", lines);
    }

    [Fact]
    public async Task A_message_that_unpacks_to_more_than_a_hundred_times_its_size_ends_the_session_and_is_not_kept()
    {
        await using var node = await RunningNode.StartAsync();
        await using var other = await node.LogInAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("COMPRESS DEFLATE");
        await client.StartTlsAsync(static stream => Task.FromResult<Stream>(new Deflated(stream)));
        const int megabytes = 40;
        try
        {
            await client.SendAsync($"a APPEND INBOX {{{megabytes * 1024 * 1024}+}}\r\n");
            for (var i = 0; i < megabytes; i++) await client.SendAsync(new string('x', 1024 * 1024));
            await client.SendAsync("\r\n");
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            // Before all of it was sent.
        }
        try
        {
            while (await client.ReadLineAsync() is { } line) Assert.DoesNotContain("a OK", line, StringComparison.Ordinal);
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            // It is closed without a word.
        }
        Assert.Contains("* STATUS INBOX (MESSAGES 0)", await other.CommandAsync("STATUS INBOX (MESSAGES)"));
    }

    [Fact]
    public Task Another_mechanism_is_BAD() => ImapScript.RunAsync("""
        C: a COMPRESS LZMA
        S: a BAD ~
        """);

    /// <summary>The client's side.</summary>
    private sealed class Deflated(Stream transport) : Stream
    {
        private readonly DeflateStream _reading = new(transport, CompressionMode.Decompress);
        private readonly DeflateStream _writing = new(transport, CompressionLevel.Optimal);

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => _reading.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _reading.ReadAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _writing.WriteAsync(buffer, cancellationToken);
            await _writing.FlushAsync(cancellationToken);
        }

        public override void Flush() => _writing.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) transport.Dispose();
            base.Dispose(disposing);
        }
    }
}
