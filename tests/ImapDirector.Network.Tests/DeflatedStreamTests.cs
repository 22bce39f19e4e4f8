using System.IO.Compression;
using System.Text;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>COMPRESS=DEFLATE as the wire has it, and how much it may become (limits N14).</summary>
public sealed class DeflatedStreamTests
{
    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task What_comes_may_become_a_hundred_times_longer_beyond_the_first_MiB(int beyond, bool may)
    {
        // As many letters as are allowed for the bytes that just these letters take.
        var length = DeflatedStream.FreeBytes;
        var packed = Packed(length);
        for (var i = 0; i < 20 && length != Allowed(packed) + beyond; i++) packed = Packed(length = Allowed(packed) + beyond);
        Assert.Equal(Allowed(packed) + beyond, length);

        await using var stream = new DeflatedStream(new MemoryStream(packed));
        if (may) Assert.Equal(length, await ReadAsync(stream, length));
        else await Assert.ThrowsAsync<IOException>(() => ReadAsync(stream, length));
    }

    [Fact]
    public async Task What_has_been_flushed_can_be_read_before_more_is_written()
    {
        using var wire = new MemoryStream();
        await using var writing = new DeflatedStream(wire);
        var written = "";
        foreach (var text in (string[])["a OK\r\n", "b OK, and more of the same, the same, the same\r\n"])
        {
            await writing.WriteAsync(Encoding.ASCII.GetBytes(text));
            await writing.FlushAsync();
            written += text;
            await using var reading = new DeflatedStream(new MemoryStream(wire.ToArray()));
            var read = new byte[written.Length];
            await reading.ReadExactlyAsync(read);
            Assert.Equal(written, Encoding.ASCII.GetString(read));
        }
    }

    [Fact]
    public async Task Damage_is_an_error_of_the_connection()
    {
        await using var stream = new DeflatedStream(new MemoryStream("a NOOP, in the clear"u8.ToArray()));
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(stream, 100));
    }

    private static int Allowed(byte[] packed) => DeflatedStream.FreeBytes + DeflatedStream.MaxRatio * packed.Length;

    private static byte[] Packed(int length)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) deflate.Write(new byte[length]);
        return packed.ToArray();
    }

    private static async Task<int> ReadAsync(DeflatedStream stream, int length)
    {
        var (buffer, done) = (new byte[64 * 1024], 0);
        for (int read; done < length && (read = await stream.ReadAsync(buffer)) > 0;) done += read;
        return done;
    }
}
