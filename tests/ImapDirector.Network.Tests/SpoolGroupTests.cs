using CsCheck;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>Spools that share memory and a file.</summary>
public sealed class SpoolGroupTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Each_reads_what_was_written_to_it_wherever_it_went() =>
        Gen.Select(Gen.Byte.Array[0, 60].Array[0, 6].Array[0, 10], Gen.Int[0, 500]).Sample(async (messages, memory) =>
        {
            await using var group = new SpoolGroup(_directory.FullName, memory);
            var spools = new List<MessageSpool>();
            foreach (var writes in messages)
            {
                spools.Add(new MessageSpool(group));
                foreach (var write in writes) await spools[^1].WriteAsync(write, CancellationToken.None);
            }
            for (var i = 0; i < messages.Length; i++)
            {
                await using var reader = spools[i].OpenRead();
                using var read = new MemoryStream();
                await reader.CopyToAsync(read);
                Assert.Equal(messages[i].SelectMany(static write => write), read.ToArray());
                await spools[i].DisposeAsync();
            }
        }, iter: 200);

    [Fact]
    public async Task However_many_there_are_they_have_one_file_open_and_it_has_no_name()
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var group = new SpoolGroup(_directory.FullName, memoryBytes: 100);
        var spools = Enumerable.Range(0, 50).Select(_ => new MessageSpool(group)).ToArray();
        foreach (var spool in spools) await spool.WriteAsync(new byte[200_000], CancellationToken.None);
        Assert.Equal(1, OpenFiles());
        Assert.Empty(_directory.EnumerateFileSystemInfos());
        foreach (var spool in spools) await spool.DisposeAsync();
        await group.DisposeAsync();
        Assert.Equal(0, OpenFiles());
    }

    [Theory]
    [InlineData(99, 0)]
    [InlineData(100, 0)]
    [InlineData(101, 1)]
    public async Task What_they_hold_in_memory_together_is_limited(int bytes, int files)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var group = new SpoolGroup(_directory.FullName, memoryBytes: 100);
        await using var first = new MessageSpool(group);
        await using var second = new MessageSpool(group);
        await first.WriteAsync(new byte[60], CancellationToken.None);
        await second.WriteAsync(new byte[bytes - 60], CancellationToken.None);
        Assert.Equal(files, OpenFiles());
    }

    [Fact]
    public async Task A_spool_that_another_has_followed_to_the_file_is_complete()
    {
        await using var group = new SpoolGroup(_directory.FullName, memoryBytes: 0);
        await using var first = new MessageSpool(group);
        await using var second = new MessageSpool(group);
        await first.WriteAsync(new byte[10], CancellationToken.None);
        await second.WriteAsync(new byte[10], CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() => first.WriteAsync(new byte[10], CancellationToken.None).AsTask());
    }

    private int OpenFiles() => Directory.EnumerateFiles("/proc/self/fd").Count(IsOurs);

    private bool IsOurs(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName.StartsWith(_directory.FullName, StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            // Another test has closed it meanwhile.
            return false;
        }
    }
}
