namespace ImapDirector.Storage.Store;

/// <summary>Annotations of mailboxes and of the account (RFC 5464).</summary>
internal static class MetadataTable
{
    /// <summary>Stands for the account as a whole; no mailbox has this id.</summary>
    public const long Account = 0;

    /// <summary>The longest value, in bytes.</summary>
    public const int MaxValueBytes = 64 * 1024;

    /// <summary>Entries of one mailbox, or of the account.</summary>
    public const int MaxEntries = 100;

    /// <summary>All entries of a user together, in bytes, each with <see cref="EntryBytes"/>. A store that came with more keeps them.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>What an entry counts besides its name and its value: many short ones take space, too, and time to be counted.</summary>
    public const int EntryBytes = 100;

    private const string BytesOf = "coalesce(sum(length(name) + length(value) + ?1), 0) FROM metadata ";

    /// <summary>An entry, and those below it.</summary>
    /// <param name="store">The user's store.</param>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="name">The entry's name, in lower case.</param>
    /// <param name="depth">How many levels below it.</param>
    public static List<(string Name, byte[] Value)> Find(StoreConnection store, long mailboxId, string name, int depth)
    {
        // '0' is the character behind the delimiter.
        var found = store.All("SELECT name, value FROM metadata WHERE mailbox_id = ?1 AND (name = ?2 OR (name > ?3 AND name < ?4)) ORDER BY name",
            static row => (row.GetString(0), row.GetFieldValue<byte[]>(1)), mailboxId, name, depth > 0 ? name + "/" : name, depth > 0 ? name + "0" : name);
        if (depth is > 0 and < int.MaxValue) found.RemoveAll(entry => entry.Item1.AsSpan(name.Length).Count('/') > depth);
        return found;
    }

    /// <returns><c>false</c> when there would be too many entries; the transaction has to be given up then.</returns>
    /// <exception cref="OverQuotaException">All of the user's together would be too long; the same.</exception>
    public static bool TrySet(StoreConnection store, long mailboxId, IEnumerable<KeyValuePair<string, byte[]?>> entries)
    {
        var growth = 0L;
        foreach (var (name, value) in entries)
        {
            growth -= store.Scalar<long>("SELECT " + BytesOf + "WHERE mailbox_id = ?2 AND name = ?3", EntryBytes, mailboxId, name);
            if (value is null)
            {
                store.Run("DELETE FROM metadata WHERE mailbox_id = ?1 AND name = ?2", mailboxId, name);
                continue;
            }
            growth += name.Length + value.Length + EntryBytes;
            store.Run("INSERT OR REPLACE INTO metadata VALUES (?1, ?2, ?3)", mailboxId, name, value);
        }
        // Who has too much can still take something away.
        if (growth > 0 && store.Scalar<long>("SELECT " + BytesOf + "WHERE name LIKE '/%'", EntryBytes) > MaxBytes) throw new OverQuotaException();
        return store.Scalar<long>("SELECT count(*) FROM metadata WHERE mailbox_id = ?1 AND name LIKE '/%'", mailboxId) <= MaxEntries;
    }

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM metadata WHERE mailbox_id = ?1", mailboxId);
}

/// <summary>There would be too many annotations; nothing was changed.</summary>
internal sealed class TooManyEntriesException() : Exception("There are too many annotations.");
