using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>What messages say, shared by their copies: in the database up to a size, in a file above it; and what was computed of it at arrival.</summary>
internal static class ContentTable
{
    /// <summary>Contents that one expunge removes at once; it leaves the rest for later.</summary>
    public const int MaxRemovedAtOnce = 200;

    /// <summary>Adds a content that nothing refers to yet; in the same transaction a message must.</summary>
    /// <returns>Its id.</returns>
    public static long Add(StoreConnection store, byte[]? body, string? file, byte[] summary, byte[] digest, SortKeys keys)
    {
        store.Run("INSERT INTO contents (file, body) VALUES (?1, ?2)", file, body);
        var id = store.LastInsertId;
        store.Run("INSERT INTO content_references VALUES (?1, 0)", id);
        store.Run("INSERT INTO summaries (content_id, summary, digest) VALUES (?1, ?2, ?3)", id, summary, digest);
        SortKeyTable.Add(store, id, keys);
        return id;
    }

    /// <summary>As many messages more refer to contents as they are named.</summary>
    public static void Refer(StoreConnection store, IReadOnlyCollection<long> ids) => Count(store, ids, 1);

    /// <summary>As many messages fewer refer to contents as they are named.</summary>
    public static void Release(StoreConnection store, IReadOnlyCollection<long> ids) => Count(store, ids, -1);

    /// <summary>Removes contents that are without a message, no more than <see cref="MaxRemovedAtOnce"/>.</summary>
    public static RemovedContents RemoveUnreferenced(StoreConnection store)
    {
        var ids = store.All("SELECT content_id FROM content_references WHERE messages = 0 LIMIT ?1", static row => row.GetInt64(0), MaxRemovedAtOnce);
        var files = new List<string>();
        foreach (var id in ids)
        {
            if (store.Scalar<string>("SELECT file FROM contents WHERE id = ?1", id) is { } file) files.Add(file);
            store.Run("DELETE FROM contents WHERE id = ?1", id);
            store.Run("DELETE FROM summaries WHERE content_id = ?1", id);
            store.Run("DELETE FROM sort_keys WHERE content_id = ?1", id);
            store.Run("DELETE FROM content_references WHERE content_id = ?1", id);
            TextIndexTable.Remove(store, id);
        }
        return new RemovedContents(files, AreMoreLeft: ids.Count == MaxRemovedAtOnce);
    }

    private static void Count(StoreConnection store, IReadOnlyCollection<long> ids, int change)
    {
        if (ids.Count == 0) return;
        store.Run("""
            UPDATE content_references SET messages = messages + ?2 * named.times
            FROM (SELECT value AS id, count(*) AS times FROM json_each(?1) GROUP BY value) AS named WHERE content_id = named.id
            """, "[" + string.Join(',', ids) + "]", change);
    }

    /// <summary>Whether contents are without a message.</summary>
    public static bool HasUnreferenced(StoreConnection store) => store.Scalar<long>("SELECT EXISTS (SELECT 1 FROM content_references WHERE messages = 0)") != 0;

    /// <summary>Whether a content has ever been in this database.</summary>
    public static bool HasHadAny(StoreConnection store) => store.Scalar<long>("SELECT seq FROM sqlite_sequence WHERE name = 'contents'") != 0;

    public static HashSet<string> Files(StoreConnection store) =>
        [.. store.All("SELECT file FROM contents WHERE file IS NOT NULL", static row => row.GetString(0))];

    /// <summary>Whether every file that is named is called as a content is.</summary>
    public static bool NamesOnlyContents(StoreConnection store)
    {
        var areAll = true;
        store.Each("SELECT file FROM contents WHERE file IS NOT NULL", row => areAll &= ContentFiles.IsName(row.GetString(0)));
        return areAll;
    }

    /// <returns><c>null</c> when there is no such content.</returns>
    public static byte[]? FindSummary(StoreConnection store, long id)
    {
        byte[]? summary = null;
        store.EachRow("SELECT summary FROM summaries WHERE content_id = ?1", row => summary = row.Bytes(0).ToArray(), id);
        return summary;
    }

    /// <returns>The bytes or the file's name; <c>null</c> when there is no such content.</returns>
    public static StoredContent? Find(StoreConnection store, long id)
    {
        StoredContent? content = null;
        store.EachRow("SELECT file, body FROM contents WHERE id = ?1",
            row => content = new StoredContent(row.IsNull(0) ? null : row.Text(0), row.IsNull(1) ? null : row.Bytes(1).ToArray()), id);
        return content;
    }
}

/// <summary>Where a content is: one of both is set.</summary>
internal sealed record StoredContent(string? File, byte[]? Body);

/// <summary>What was removed.</summary>
/// <param name="Files">The files that are to be removed once it is on disk.</param>
/// <param name="AreMoreLeft">Whether there may be more.</param>
internal readonly record struct RemovedContents(IReadOnlyList<string> Files, bool AreMoreLeft);
