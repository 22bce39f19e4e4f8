using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Transfer;

/// <summary>Where a node keeps what is on its way: <c>DATA/moves/out</c> and <c>DATA/moves/in</c>, with a directory for each user like those of <c>users</c>.</summary>
internal static class TransferPath
{
    private const string StoreName = "store";
    private const string ManifestName = "manifest.json";

    public static string Outgoing(string dataDirectory, UserName user) => UserStorePath.Shelved(Path.Combine(dataDirectory, "moves", "out"), user);

    public static string Incoming(string dataDirectory, UserName user) => UserStorePath.Shelved(Path.Combine(dataDirectory, "moves", "in"), user);

    /// <summary>The user's directory within one of those.</summary>
    public static string StoreIn(string place) => Path.Combine(place, StoreName);

    /// <summary>Reads the manifest of one of those.</summary>
    /// <returns><c>null</c> where there is none that can be used.</returns>
    public static TransferManifest? ReadManifest(string place)
    {
        var file = new FileInfo(Path.Combine(place, ManifestName));
        return file.Exists && file.Length <= TransferManifest.MaxBytes ? TransferManifest.TryRead(File.ReadAllBytes(file.FullName)) : null;
    }

    /// <summary>Writes the manifest of one of those; it is there as a whole or not at all.</summary>
    public static void WriteManifest(string place, TransferManifest manifest)
    {
        var path = Path.Combine(place, ManifestName);
        var partial = path + ".partial";
        using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(manifest.Write());
            file.Flush(flushToDisk: true);
        }
        File.Move(partial, path, overwrite: true);
        DirectorySync.Flush(place);
    }

    /// <summary>Takes one of those away.</summary>
    public static void Remove(string place)
    {
        if (!Directory.Exists(place)) return;
        // The manifest first: what is left after a crash is not taken for something whole.
        File.Delete(Path.Combine(place, ManifestName));
        Directory.Delete(place, recursive: true);
    }
}
