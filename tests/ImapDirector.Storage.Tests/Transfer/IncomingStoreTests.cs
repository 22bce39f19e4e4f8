using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Transfer;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

public sealed class IncomingStoreTests
{
    private static readonly TimeSpan NoPause = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task What_breaks_off_after_every_few_bytes_still_comes_to_its_end_and_nothing_twice()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var manifest = await ReadyAsync(nodes);
        var sent = 0L;
        var incoming = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, NoPause);
        await incoming.TakeAsync((number, offset, _) =>
        {
            var whole = OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset);
            var piece = new byte[Math.Min(60_000, whole.Length - offset)];
            using (whole) whole.ReadExactly(piece);
            sent += piece.Length;
            return Task.FromResult<Stream>(new MemoryStream(piece));
        }, CancellationToken.None);
        Assert.Equal(manifest.TotalBytes, sent);
        Assert.Equal(manifest.TotalBytes, incoming.BytesDone);
        Assert.Equal(nodes.From.Fingerprint(nodes.User), StoreFingerprint.Of(incoming.Directory, CancellationToken.None).Digest);
    }

    [Fact]
    public async Task A_second_try_asks_only_for_what_is_missing()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var manifest = await ReadyAsync(nodes);
        var asked = 0;
        var first = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, NoPause);
        var away = await Assert.ThrowsAsync<TransferException>(() => first.TakeAsync((number, offset, _) => ++asked > 2
            ? throw new HttpRequestException("gone")
            : Task.FromResult<Stream>(Cut(nodes, manifest, number, offset)), CancellationToken.None));
        Assert.Equal(TransferFault.SourceAway, away.Fault);
        var come = first.BytesDone;
        Assert.True(come > 0);
        var sent = 0L;
        var second = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, NoPause);
        Assert.Equal(come, second.BytesDone);
        await second.TakeAsync((number, offset, _) =>
        {
            sent += manifest.Files[number].Size - offset;
            return Task.FromResult(OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset));
        }, CancellationToken.None);
        Assert.Equal(manifest.TotalBytes - come, sent);
    }

    [Fact]
    public async Task What_is_altered_on_its_way_is_not_taken()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var manifest = await ReadyAsync(nodes);
        var incoming = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, NoPause);
        var different = await Assert.ThrowsAsync<TransferException>(() => incoming.TakeAsync((number, offset, _) =>
        {
            using var file = OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset);
            var bytes = new byte[file.Length - offset];
            file.ReadExactly(bytes);
            if (bytes.Length > 0) bytes[^1] ^= 1;
            return Task.FromResult<Stream>(new MemoryStream(bytes));
        }, CancellationToken.None));
        Assert.Equal(TransferFault.Different, different.Fault);
    }

    [Fact]
    public async Task A_store_that_says_something_else_than_was_promised_is_not_taken()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var manifest = await ReadyAsync(nodes) with { Fingerprint = new string('0', 64) };
        var incoming = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, NoPause);
        var different = await Assert.ThrowsAsync<TransferException>(() => incoming.TakeAsync((number, offset, _) =>
            Task.FromResult(OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset)), CancellationToken.None));
        Assert.Equal(TransferFault.Different, different.Fault);
    }

    [Fact]
    public async Task Of_another_manifest_only_the_files_stay_that_are_the_same()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var manifest = await ReadyAsync(nodes);
        var first = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, NoPause);
        await first.TakeAsync((number, offset, _) => Task.FromResult(OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset)), CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(first.Directory, "contents", "what-nobody-named"), "x");
        var changed = manifest with { Files = [manifest.Files[0] with { Sha256 = new string('0', 64) }, .. manifest.Files.Skip(1)] };
        Assert.Equal(manifest.TotalBytes - manifest.Files[0].Size, IncomingStore.Begin(nodes.To.Data, nodes.User, changed, NoPause).BytesDone);
        Assert.Equal(manifest.Files.Count - 1, Directory.GetFiles(first.Directory, "*", SearchOption.AllDirectories).Length);
    }

    private static FileStream Cut(TwoNodes nodes, TransferManifest manifest, int number, long offset)
    {
        var stream = (FileStream)OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset);
        // All but the last few bytes of the first file, then nothing.
        if (number == 0 && offset == 0)
        {
            var copy = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 4096, FileOptions.DeleteOnClose);
            stream.CopyTo(copy);
            stream.Dispose();
            copy.SetLength(copy.Length - 10);
            copy.Position = 0;
            return copy;
        }
        return stream;
    }

    private static async Task<TransferManifest> ReadyAsync(TwoNodes nodes)
    {
        Assert.Equal(TransferAnswer.Done, await nodes.From.Transfers.ReleaseAsync(nodes.User, 2, CancellationToken.None));
        return OutgoingStore.Prepare(nodes.From.Data, nodes.User, 2, CancellationToken.None);
    }
}
