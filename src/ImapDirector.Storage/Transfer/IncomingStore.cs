using System.Buffers;
using System.Security.Cryptography;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Transfer;

/// <summary>A user's store on its way here, file by file. What has come stays when the way is broken off, and is not asked for again.</summary>
internal sealed class IncomingStore
{
    private const int CopyBytes = 256 * 1024;
    private const int TriesWithoutProgress = 5;
    private const string PartialSuffix = ".part";

    // Beyond the store itself: the database grows while it is opened, and mail comes in meanwhile.
    private const long SpareBytes = 64L * 1024 * 1024;

    private static readonly TimeSpan PauseBeforeRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(30);

    private readonly string _place;
    private readonly string _store;
    private readonly TransferManifest _manifest;
    private readonly TimeSpan _pause;
    private long _bytesDone;

    private IncomingStore(string place, TransferManifest manifest, TimeSpan pause) => (_place, _store, _manifest, _pause) = (place, TransferPath.StoreIn(place), manifest, pause);

    /// <summary>The user's directory, once <see cref="TakeAsync"/> has come to its end.</summary>
    public string Directory => _store;

    /// <summary>What has come, in bytes.</summary>
    public long BytesDone => Volatile.Read(ref _bytesDone);

    /// <summary>Begins, or goes on with what has come of the same store before.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static IncomingStore Begin(string dataDirectory, UserName user, TransferManifest manifest, TimeSpan? pauseBeforeRetry = null)
    {
        var place = TransferPath.Incoming(dataDirectory, user);
        UserStorePath.Make(Path.Combine(TransferPath.StoreIn(place), StoreSnapshot.ContentsName));
        var incoming = new IncomingStore(place, manifest, pauseBeforeRetry ?? PauseBeforeRetry);
        incoming.RemoveForeign(TransferPath.ReadManifest(place));
        TransferPath.WriteManifest(place, manifest);
        return incoming;
    }

    /// <summary>Whether the disk has room for what is missing.</summary>
    public bool HasRoom() => new DriveInfo(Path.GetFullPath(_place)).AvailableFreeSpace - SpareBytes > _manifest.TotalBytes - _bytesDone;

    /// <summary>Takes what is missing, and compares all of it.</summary>
    /// <param name="open">Opens a file of the manifest, by its number, from an offset on; what it throws and what the stream throws means that the other side is away.</param>
    /// <param name="cancellationToken">Ends it; what has come stays.</param>
    /// <exception cref="TransferException">The other side is away for too long, or what it sends is not what it has promised.</exception>
    /// <exception cref="IOException">The disk is full, or refuses.</exception>
    /// <exception cref="StoreException">What came is no store.</exception>
    public async Task TakeAsync(Func<int, long, CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        for (var number = 0; number < _manifest.Files.Count; number++)
        {
            var file = _manifest.Files[number];
            if (!IsThere(file)) await TakeAsync(number, file, open, cancellationToken);
        }
        DirectorySync.Flush(Path.Combine(_store, StoreSnapshot.ContentsName));
        DirectorySync.Flush(_store);
        ArrivedStore.Demand(_store, cancellationToken);
        if (StoreFingerprint.Of(_store, cancellationToken).Digest != _manifest.Fingerprint)
            throw new TransferException(TransferFault.Different, "what came says something else than what was sent");
    }

    private bool IsThere(TransferFile file) => new FileInfo(file.PathIn(_store)) is { Exists: true } known && known.Length == file.Size;

    private async Task TakeAsync(int number, TransferFile file, Func<int, long, CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        var path = file.PathIn(_store);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            await using (var part = new FileStream(path + PartialSuffix, options))
            {
                if (part.Length > file.Size) part.SetLength(0);
                for (int read; (read = await part.ReadAsync(buffer, cancellationToken)) > 0;) digest.AppendData(buffer.AsSpan(0, read));
                var tries = 0;
                // A file of no length is there as soon as it is made.
                while (part.Length < file.Size)
                {
                    var before = part.Length;
                    await AppendAsync(part, number, file, open, digest, buffer, cancellationToken);
                    if (part.Length >= file.Size) break;
                    tries = part.Length > before ? 0 : tries + 1;
                    if (tries == TriesWithoutProgress) throw new TransferException(TransferFault.SourceAway, "the node that has the user does not send");
                    await Task.Delay(_pause, cancellationToken);
                }
                if (Convert.ToHexStringLower(digest.GetHashAndReset()) != file.Sha256)
                {
                    part.SetLength(0);
                    throw new TransferException(TransferFault.Different, $"\"{file.Name}\" came as something else than was promised");
                }
                part.Flush(flushToDisk: true);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
        File.Move(path + PartialSuffix, path, overwrite: true);
    }

    private async Task AppendAsync(FileStream part, int number, TransferFile file, Func<int, long, CancellationToken, Task<Stream>> open, IncrementalHash digest,
        byte[] buffer, CancellationToken cancellationToken)
    {
        Stream? source = null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (part.Length < file.Size)
            {
                int read;
                try
                {
                    source ??= await open(number, part.Length, cancellationToken);
                    limit.CancelAfter(ReadLimit);
                    read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, file.Size - part.Length)), limit.Token);
                }
                // Only what the other side does is tried again; what the own disk does is not caught here.
                catch (Exception lost) when (lost is IOException or HttpRequestException or TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
                {
                    return;
                }
                if (read == 0) return;
                await part.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                digest.AppendData(buffer.AsSpan(0, read));
                Interlocked.Add(ref _bytesDone, read);
            }
        }
        finally
        {
            if (source is not null) await source.DisposeAsync();
        }
    }

    /// <summary>Takes away what the manifest does not name, and what came under another one and may differ.</summary>
    private void RemoveForeign(TransferManifest? before)
    {
        var known = (before?.Files ?? []).Intersect(_manifest.Files).ToDictionary(static file => file.Name);
        foreach (var path in System.IO.Directory.EnumerateFiles(_store, "*", SearchOption.AllDirectories).ToArray())
        {
            var name = Path.GetFileName(path);
            var isPartial = name.EndsWith(PartialSuffix, StringComparison.Ordinal);
            var isKnown = known.TryGetValue(isPartial ? name[..^PartialSuffix.Length] : name, out var file) && file.PathIn(_store) == (isPartial ? path[..^PartialSuffix.Length] : path);
            if (!isKnown) File.Delete(path);
            else _bytesDone += new FileInfo(path).Length;
        }
    }
}
