using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Transfer;

/// <summary>A user whose store is on this node.</summary>
/// <param name="User">Who.</param>
/// <param name="Epoch">The highest epoch that the store has seen; 0 where it never saw one.</param>
/// <param name="State">Whether it is in use.</param>
/// <param name="Messages">How many messages there are.</param>
/// <param name="Bytes">Their sizes together.</param>
/// <param name="Changed">When the store was written last, by the file system's clock; <c>null</c> where that cannot be told.</param>
public readonly record struct HeldUser(UserName User, long Epoch, StoreState State, long Messages, long Bytes, DateTimeOffset? Changed)
{
    /// <summary>The users whose stores are here, in the order in which they lie on disk.</summary>
    /// <param name="dataDirectory">The node's.</param>
    /// <param name="after">The last of the page before, or <c>null</c>.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="patience">After this time the page ends with what it has, one user at least: each is a database to be opened, which a slow disk takes its time for.</param>
    internal static List<HeldUser> List(string dataDirectory, UserName? after, int limit, TimeSpan patience)
    {
        var until = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        var found = new List<HeldUser>();
        var root = Path.Combine(dataDirectory, "users");
        if (!Directory.Exists(root)) return found;
        var from = after is { } last ? Path.GetFileName(Path.GetDirectoryName(UserStorePath.Of(dataDirectory, last)))! : "";
        foreach (var shelf in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal))
        {
            var order = string.CompareOrdinal(Path.GetFileName(shelf), from);
            if (order < 0) continue;
            foreach (var directory in Directory.EnumerateDirectories(shelf).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(directory);
                if (order == 0 && string.CompareOrdinal(name, after?.Value) <= 0) continue;
                if (!UserName.TryCreate(name, null, out var user) || UserStorePath.Of(dataDirectory, user) != directory || Find(dataDirectory, user) is not { } held) continue;
                found.Add(held);
                if (found.Count == limit || Environment.TickCount64 >= until) return found;
            }
        }
        return found;
    }

    /// <returns><c>null</c> when the user has no store here.</returns>
    internal static HeldUser? Find(string dataDirectory, UserName user)
    {
        var changed = ChangeOf(UserStorePath.Of(dataDirectory, user));
        try
        {
            return StoreMark.Of(dataDirectory, user, (store, mark) =>
            {
                var usage = QuotaUsage.Of(store);
                return new HeldUser(user, mark.Epoch, mark.State, usage.Messages, usage.Bytes, changed);
            });
        }
        catch (StoreException)
        {
            return new HeldUser(user, 0, StoreState.Unreadable, 0, 0, changed);
        }
    }

    // An empty log is made by whoever only reads.
    private static DateTimeOffset? ChangeOf(string directory)
    {
        DateTimeOffset? last = null;
        foreach (var name in new[] { StoreSnapshot.DatabaseName, StoreSnapshot.DatabaseName + "-wal" })
        {
            var file = new FileInfo(Path.Combine(directory, name));
            if (file is { Exists: true, Length: > 0 } && !(file.LastWriteTimeUtc <= last?.UtcDateTime)) last = new DateTimeOffset(file.LastWriteTimeUtc);
        }
        return last;
    }
}
