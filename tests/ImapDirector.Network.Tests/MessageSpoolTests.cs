using CsCheck;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class MessageSpoolTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(100_000)]
    public async Task What_is_written_is_read_on_both_sides_of_the_threshold(int length)
    {
        var message = Message(length);
        await using var spool = new MessageSpool(_directory.FullName, memoryBytes: 100);
        foreach (var part in message.Chunk(33)) await spool.WriteAsync(part, CancellationToken.None);
        Assert.Equal(length, spool.Length);
        Assert.Equal(message, await ReadAsync(spool));
        Assert.Equal(message, await ReadAsync(spool));
    }

    [Fact]
    public async Task A_large_message_leaves_no_name_in_the_directory_even_while_it_is_open()
    {
        await using var spool = new MessageSpool(_directory.FullName, memoryBytes: 10);
        await spool.WriteAsync(Message(1000), CancellationToken.None);
        Assert.Empty(_directory.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task Several_readers_read_at_once_each_from_its_own_place()
    {
        var message = Message(300_000);
        await using var spool = new MessageSpool(_directory.FullName, memoryBytes: 10);
        await spool.WriteAsync(message, CancellationToken.None);
        var read = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ReadAsync(spool)));
        Assert.All(read, bytes => Assert.Equal(message, bytes));
    }

    [Fact]
    public void Any_writes_and_any_seeks_give_the_same_bytes_from_memory_and_from_the_file() =>
        Gen.Select(Gen.Byte.Array[0, 60].Array[0, 20], Gen.Int[0, 1300], Gen.Int[0, 700]).Sample(async (writes, threshold, seek) =>
        {
            await using var spool = new MessageSpool(_directory.FullName, threshold);
            foreach (var write in writes) await spool.WriteAsync(write, CancellationToken.None);
            var expected = writes.SelectMany(static write => write).ToArray();
            await using var reader = spool.OpenRead();
            reader.Seek(seek, SeekOrigin.Begin);
            using var rest = new MemoryStream();
            await reader.CopyToAsync(rest);
            Assert.Equal(expected.Skip(seek), rest.ToArray());
        }, iter: 200);

    [Fact]
    public async Task A_directory_that_is_not_there_is_an_io_error()
    {
        await using var spool = new MessageSpool(Path.Combine(_directory.FullName, "absent"), memoryBytes: 10);
        await Assert.ThrowsAnyAsync<IOException>(async () => await spool.WriteAsync(Message(11), CancellationToken.None));
    }

    [Fact]
    public async Task Nothing_is_read_or_written_after_the_end()
    {
        var spool = new MessageSpool(_directory.FullName);
        await spool.DisposeAsync();
        await spool.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(spool.OpenRead);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await spool.WriteAsync(Message(1), CancellationToken.None));
    }

    private static byte[] Message(int length)
    {
        var message = new byte[length];
        new Random(length).NextBytes(message);
        return message;
    }

    private static async Task<byte[]> ReadAsync(MessageSpool spool)
    {
        await using var reader = spool.OpenRead();
        using var all = new MemoryStream();
        await reader.CopyToAsync(all);
        return all.ToArray();
    }
}
