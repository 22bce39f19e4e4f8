using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Mends messages, what they refer to, and what was computed of it.</summary>
internal static class MessageRepair
{
    public static void MendValues(StoreConnection store, StoreCondition condition)
    {
        store.Run("UPDATE messages SET flags = flags & ?1 WHERE flags <> flags & ?1", MessageCheck.AllFlags);
        store.Run("UPDATE messages SET date_offset = 0 WHERE date_offset NOT BETWEEN ?1 AND ?2", -MessageCheck.MaxOffsetMinutes, MessageCheck.MaxOffsetMinutes);
        store.Run("UPDATE messages SET date_seconds = min(max(date_seconds, ?1), ?2) WHERE date_seconds NOT BETWEEN ?1 AND ?2", MessageCheck.MinSeconds, MessageCheck.MaxSeconds);
        foreach (var (mailbox, uid, keywords) in condition.WithBadKeywords)
            store.Run("UPDATE messages SET keywords = ?3 WHERE mailbox_id = ?1 AND uid = ?2", mailbox, uid, keywords);
        foreach (var (mailbox, uid, content, length) in condition.OfWrongSize)
        {
            store.Run("UPDATE messages SET size_bytes = ?3 WHERE mailbox_id = ?1 AND uid = ?2", mailbox, uid, length);
            condition.WithoutSummary.Add(content);
            // What is there is taken as it is, and somebody was told.
            if (condition.Altered.Contains(content)) store.Run("UPDATE summaries SET digest = NULL WHERE content_id = ?1", content);
        }
    }

    /// <summary>Gives each content that no message refers to a message, and forgets those of them that are gone.</summary>
    public static void BringBack(StoreConnection store, StoreCondition condition)
    {
        foreach (var content in condition.Superfluous) store.Run("DELETE FROM contents WHERE id = ?1", content);
        if (condition.Unreferenced.Count == 0) return;
        var mailbox = MailboxRepair.TakeRecovered(store);
        var modSeq = MailboxTable.TakeModSeq(store, mailbox);
        var now = DateTimeOffset.UtcNow;
        foreach (var content in condition.Unreferenced)
        {
            MessageTable.Add(store, mailbox, new MessageRecord(MailboxTable.TakeUids(store, mailbox, 1), modSeq, SystemFlags.None, [], now,
                checked((uint)condition.Lengths[content]), content)
            { SavedSeconds = now.ToUnixTimeSeconds() });
        }
    }

    public static void RemoveLost(StoreConnection store, StoreCondition condition)
    {
        foreach (var mailbox in condition.LostMessages.Where(message => condition.IsGone(message.ContentId)).GroupBy(static message => message.MailboxId))
            MessageTable.Expunge(store, mailbox.Key, [.. mailbox.Select(static message => (uint)message.Uid)]);
        ContentTable.RemoveUnreferenced(store);
    }

    public static void MendReferences(StoreConnection store)
    {
        store.Run("""
            INSERT INTO content_references SELECT c.id, count(m.uid) FROM contents c LEFT JOIN messages m ON m.content_id = c.id WHERE true GROUP BY c.id
            ON CONFLICT (content_id) DO UPDATE SET messages = excluded.messages WHERE messages <> excluded.messages
            """);
        store.Run("DELETE FROM content_references WHERE content_id NOT IN (SELECT id FROM contents)");
        store.Run("DELETE FROM summaries WHERE content_id NOT IN (SELECT id FROM contents)");
    }

    public static void MendSummaries(StoreConnection store, ContentFiles files, StoreCondition condition)
    {
        foreach (var id in condition.WithoutSummary)
        {
            if (ContentTable.Find(store, id) is not { } content) continue;
            using var stream = content.File is null ? new MemoryStream(content.Body ?? [], writable: false) : files.OpenRead(content.File);
            var (summary, keys) = MessageSummarizer.Examine(stream);
            store.Run("INSERT INTO summaries (content_id, summary) VALUES (?1, ?2) ON CONFLICT (content_id) DO UPDATE SET summary = excluded.summary", id, SummaryFormat.Encode(summary));
            HistoryCheck.Forget(store, id);
            SortKeyTable.Add(store, id, keys);
        }
    }
}
