using System.Globalization;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Transfer;

/// <summary>What is left of users who live elsewhere now: their stores, set aside for a while under <c>DATA/moved/3f/alice@example.com/20290305T101112Z</c>, and
/// the epoch at which they left, so that nobody who remembers an older one begins a new store for them here.</summary>
internal sealed class MovedStores(string dataDirectory, TimeProvider clock)
{
    private const string EpochName = "epoch";
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    // No directory goes while something is put into it.
    private readonly Lock _sync = new();
    private readonly string _root = Path.Combine(dataDirectory, "moved");

    /// <summary>The epoch at which a user left; 0 for one who never did.</summary>
    /// <exception cref="IOException">It cannot be read: then nobody knows.</exception>
    public long EpochOf(UserName user)
    {
        var file = Path.Combine(PlaceOf(user), EpochName);
        if (!File.Exists(file)) return 0;
        return long.TryParse(File.ReadAllText(file), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : throw new IOException($"\"{file}\" has no epoch in it: remove it if the user is at home here.");
    }

    /// <summary>Whether a user has left, and their store is still here: only a move brings the user back then, however high an epoch is.</summary>
    public bool HoldsStoreOf(UserName user)
    {
        var place = PlaceOf(user);
        return File.Exists(Path.Combine(place, EpochName)) && Directory.EnumerateDirectories(place).Any(static store => TryReadTime(Path.GetFileName(store), out _));
    }

    /// <summary>Sets a user's store aside. Nobody may have it open.</summary>
    /// <param name="user">The user.</param>
    /// <param name="epoch">From which epoch on the user is elsewhere.</param>
    public void SetAside(UserName user, long epoch)
    {
        var (place, store) = (PlaceOf(user), UserStorePath.Of(dataDirectory, user));
        lock (_sync)
        {
            UserStorePath.Make(place);
            // First: from here on nobody begins a new one.
            Remember(place, epoch);
            if (!Directory.Exists(store)) return;
            Directory.Move(store, FreeName(place));
            DirectorySync.Flush(place);
            DirectorySync.Flush(Path.GetDirectoryName(store)!);
        }
    }

    /// <summary>The user is here again.</summary>
    public void Welcome(UserName user)
    {
        var place = PlaceOf(user);
        var file = Path.Combine(place, EpochName);
        if (!File.Exists(file)) return;
        File.Delete(file);
        DirectorySync.Flush(place);
    }

    /// <summary>Removes the stores that were set aside longer ago.</summary>
    /// <returns>How many.</returns>
    public int Sweep(TimeSpan retention, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_root)) return 0;
        var removed = 0;
        var before = clock.GetUtcNow() - retention;
        foreach (var user in Directory.EnumerateDirectories(_root).SelectMany(Directory.EnumerateDirectories).ToArray())
        {
            foreach (var store in Directory.EnumerateDirectories(user))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!TryReadTime(Path.GetFileName(store), out var time) || time > before) continue;
                Directory.Delete(store, recursive: true);
                removed++;
            }
            lock (_sync)
                if (!Directory.EnumerateFileSystemEntries(user).Any()) Directory.Delete(user);
        }
        return removed;
    }

    private string PlaceOf(UserName user) => UserStorePath.Shelved(_root, user);

    private static void Remember(string place, long epoch)
    {
        var path = Path.Combine(place, EpochName);
        var partial = path + ".partial";
        using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(epoch.ToString(CultureInfo.InvariantCulture)));
            file.Flush(flushToDisk: true);
        }
        File.Move(partial, path, overwrite: true);
        DirectorySync.Flush(place);
    }

    private string FreeName(string place)
    {
        for (var time = clock.GetUtcNow(); ; time += TimeSpan.FromSeconds(1))
        {
            var name = Path.Combine(place, time.ToString(TimeFormat, CultureInfo.InvariantCulture));
            if (!Directory.Exists(name)) return name;
        }
    }

    private static bool TryReadTime(string name, out DateTimeOffset time) => DateTimeOffset.TryParseExact(name, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
}
