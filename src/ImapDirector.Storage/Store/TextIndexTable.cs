namespace ImapDirector.Storage.Store;

/// <summary>The index that narrows text searches down: runs of three letters, and the contents they are in. What it names is still looked at, so
/// that a search is as exact as without it.</summary>
internal static class TextIndexTable
{
    public static void Add(StoreConnection store, IndexedText text)
    {
        // The content may have gone while its text was read.
        if (store.Scalar<long>("SELECT count(*) FROM contents WHERE id = ?1", text.ContentId) == 0) return;
        if (store.Run("INSERT OR IGNORE INTO indexed_texts VALUES (?1, ?2)", text.ContentId, text.IsComplete) == 0) return;
        store.Run("INSERT INTO texts (rowid, text) VALUES (?1, ?2)", text.ContentId, text.Text);
    }

    /// <summary>The contents of a mailbox that are not in the index, in order of arrival.</summary>
    public static List<long> Missing(StoreConnection store, long mailboxId, int most) => store.All("""
        SELECT content_id FROM messages WHERE mailbox_id = ?1 AND NOT EXISTS (SELECT 1 FROM indexed_texts AS i WHERE i.content_id = messages.content_id) LIMIT ?2
        """, static row => row.GetInt64(0), mailboxId, most);

    /// <summary>The contents that have all of the trigrams, and those that are in the index in part only.</summary>
    /// <param name="store">The user's store.</param>
    /// <param name="query">A query of FTS5.</param>
    public static List<long> Candidates(StoreConnection store, string query) => store.All(
        "SELECT rowid FROM texts WHERE texts MATCH ?1 UNION ALL SELECT content_id FROM indexed_texts WHERE is_complete = 0", static row => row.GetInt64(0), query);

    /// <summary>Forgets a content.</summary>
    public static void Remove(StoreConnection store, long contentId)
    {
        if (store.Run("DELETE FROM indexed_texts WHERE content_id = ?1", contentId) > 0) store.Run("DELETE FROM texts WHERE rowid = ?1", contentId);
    }
}

/// <summary>A content's text as the index takes it.</summary>
/// <param name="ContentId">The content.</param>
/// <param name="Text">Header and text parts, decoded, in capitals.</param>
/// <param name="IsComplete">Whether it is all there, and not cut for its length.</param>
internal sealed record IndexedText(long ContentId, string Text, bool IsComplete);
