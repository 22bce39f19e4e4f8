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
    public static bool TrySet(StoreConnection store, long mailboxId, IEnumerable<KeyValuePair<string, byte[]?>> entries)
    {
        foreach (var (name, value) in entries)
        {
            if (value is null) store.Run("DELETE FROM metadata WHERE mailbox_id = ?1 AND name = ?2", mailboxId, name);
            else store.Run("INSERT OR REPLACE INTO metadata VALUES (?1, ?2, ?3)", mailboxId, name, value);
        }
        return store.Scalar<long>("SELECT count(*) FROM metadata WHERE mailbox_id = ?1 AND name LIKE '/%'", mailboxId) <= MaxEntries;
    }

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM metadata WHERE mailbox_id = ?1", mailboxId);
}

/// <summary>There would be too many annotations; nothing was changed.</summary>
internal sealed class TooManyEntriesException() : Exception("There are too many annotations.");
