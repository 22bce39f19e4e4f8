using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>What messages say, shared by their copies: in the database up to a size, in a file above it; and what was computed of it at arrival.</summary>
internal static class ContentTable
{
    /// <summary>Adds a content that nothing refers to yet; in the same transaction a message must.</summary>
    /// <returns>Its id.</returns>
    public static long Add(StoreConnection store, byte[]? body, string? file, byte[] summary, SortKeys keys)
    {
        store.Run("INSERT INTO contents (file, body) VALUES (?1, ?2)", file, body);
        var id = store.LastInsertId;
        store.Run("INSERT INTO summaries VALUES (?1, ?2)", id, summary);
        SortKeyTable.Add(store, id, keys);
        return id;
    }

    /// <summary>Removes the contents that the transaction has left without a message.</summary>
    /// <returns>The files that are to be removed once it is on disk.</returns>
    public static List<string> RemoveUnreferenced(StoreConnection store)
    {
        store.Run("DELETE FROM summaries WHERE content_id IN (SELECT id FROM contents WHERE references_count = 0)");
        store.Run("DELETE FROM sort_keys WHERE content_id IN (SELECT id FROM contents WHERE references_count = 0)");
        TextIndexTable.RemoveUnreferenced(store);
        return store.All("DELETE FROM contents WHERE references_count = 0 RETURNING file", static row => row.IsDBNull(0) ? "" : row.GetString(0))
            .FindAll(static file => file.Length > 0);
    }

    public static HashSet<string> Files(StoreConnection store) =>
        [.. store.All("SELECT file FROM contents WHERE file IS NOT NULL", static row => row.GetString(0))];

    /// <returns><c>null</c> when there is no such content.</returns>
    public static byte[]? FindSummary(StoreConnection store, long id) => store.Scalar<byte[]>("SELECT summary FROM summaries WHERE content_id = ?1", id);

    /// <returns>The bytes or the file's name; <c>null</c> when there is no such content.</returns>
    public static StoredContent? Find(StoreConnection store, long id) => store.First("SELECT file, body FROM contents WHERE id = ?1",
        static row => new StoredContent(row.IsDBNull(0) ? null : row.GetString(0), row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1)), id);
}

/// <summary>Where a content is: one of both is set.</summary>
internal sealed record StoredContent(string? File, byte[]? Body);
