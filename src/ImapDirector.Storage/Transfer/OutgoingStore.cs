using System.Security.Cryptography;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Transfer;

/// <summary>A released user's store as it is handed over: a copy of the database, as <see cref="StoreBackup"/> makes it, and second names of the contents. It
/// stays as it is however often the other node asks, and does not keep the store itself open.</summary>
internal static class OutgoingStore
{
    /// <summary>Makes it, unless it is there already.</summary>
    /// <param name="dataDirectory">The node's.</param>
    /// <param name="user">A user who is released: nobody writes to the store meanwhile.</param>
    /// <param name="epoch">The epoch at which the user was released.</param>
    /// <param name="cancellationToken">Ends it; what there is by then is made anew another time.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    /// <exception cref="IOException">The disk is full, or refuses.</exception>
    public static TransferManifest Prepare(string dataDirectory, UserName user, long epoch, CancellationToken cancellationToken)
    {
        var place = TransferPath.Outgoing(dataDirectory, user);
        if (TransferPath.ReadManifest(place) is { } ready && ready.Epoch == epoch) return ready;
        TransferPath.Remove(place);
        var (source, copy) = (UserStorePath.Of(dataDirectory, user), TransferPath.StoreIn(place));
        UserStorePath.Make(copy);
        StoreBackup.CopyDatabase(source, copy);
        StoreBackup.CopyContents(source, copy, mayLink: true, cancellationToken);
        var fingerprint = StoreFingerprint.Of(copy, cancellationToken);
        var files = new List<TransferFile> { Describe(StoreSnapshot.DatabaseName, Path.Combine(copy, StoreSnapshot.DatabaseName)) };
        var contents = Path.Combine(copy, StoreSnapshot.ContentsName);
        if (Directory.Exists(contents))
        {
            foreach (var path in Directory.EnumerateFiles(contents))
            {
                cancellationToken.ThrowIfCancellationRequested();
                files.Add(Describe(Path.GetFileName(path), path));
            }
        }
        var manifest = new TransferManifest(user.Value, epoch, fingerprint.Digest, fingerprint.Messages, files);
        TransferPath.WriteManifest(place, manifest);
        return manifest;
    }

    /// <summary>Opens a file of it from an offset on.</summary>
    /// <exception cref="IOException">It is gone.</exception>
    public static Stream OpenFile(string dataDirectory, UserName user, TransferFile file, long offset)
    {
        var path = file.PathIn(TransferPath.StoreIn(TransferPath.Outgoing(dataDirectory, user)));
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        stream.Position = offset;
        return stream;
    }

    private static TransferFile Describe(string name, string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        return new TransferFile(name, file.Length, Convert.ToHexStringLower(SHA256.HashData(file)));
    }
}
