using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>The messages of the mailboxes: their UIDs, flags and dates. What they say is in <see cref="ContentTable"/>.</summary>
internal static class MessageTable
{
    // A counter in a damaged database may be anything; the list grows by itself.
    private const long MostExpected = 1_000_000;

    /// <summary>What is read of a message, in the order of <see cref="MessageList.Add(StoredRow)"/>.</summary>
    private const string Columns = "SELECT uid, modseq, flags, keywords, date_seconds, date_offset, size_bytes, content_id, saved_seconds FROM messages WHERE mailbox_id = ?1";

    /// <summary>All messages of a mailbox.</summary>
    public static MessageList All(StoreConnection store, long mailboxId)
    {
        var count = store.Scalar<long>("SELECT messages FROM mailboxes WHERE id = ?1", mailboxId);
        var messages = new MessageList((int)Math.Clamp(count, 0, MostExpected));
        store.EachRow(Columns + " ORDER BY uid", messages.Add, mailboxId);
        FlagChangeTable.Apply(FlagChangeTable.Of(store, mailboxId), messages);
        return messages;
    }

    /// <summary>The content of a message; <c>null</c> when the mailbox has none of that UID.</summary>
    public static long? FindContent(StoreConnection store, long mailboxId, uint uid) =>
        store.Scalar<long?>("SELECT content_id FROM messages WHERE mailbox_id = ?1 AND uid = ?2", mailboxId, uid);

    /// <summary>Adds a message to a content that exists.</summary>
    public static void Add(StoreConnection store, long mailboxId, MessageRecord message)
    {
        Insert(store, mailboxId, message);
        store.Run("UPDATE content_references SET messages = messages + 1 WHERE content_id = ?1", message.ContentId);
        MailboxTable.Count(store, mailboxId, MailboxCounters.Of(message));
    }

    /// <returns>The messages as they are now, and the mod-sequence of those that were changed.</returns>
    public static (List<MessageRecord> Messages, ulong ModSeq) StoreFlags(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids, StoreOperation operation, FlagList flags)
    {
        List<MessageRecord> messages = [.. In(store, mailboxId, uids)];
        var modSeq = MailboxTable.NextModSeq(store, mailboxId);
        var counters = default(MailboxCounters);
        var byFlags = new Dictionary<SystemFlags, List<uint>>();
        for (var i = 0; i < messages.Count; i++)
        {
            var (before, after) = (messages[i], Apply(messages[i], operation, flags));
            if (before == after) continue;
            messages[i] = after = after with { ModSeq = modSeq };
            counters += MailboxCounters.Of(after) - MailboxCounters.Of(before);
            if (before.Keywords != after.Keywords)
            {
                store.Run("UPDATE messages SET modseq = ?3, flags = ?4, keywords = ?5 WHERE mailbox_id = ?1 AND uid = ?2",
                    mailboxId, after.Uid, (long)modSeq, (int)after.Flags, string.Join(' ', after.Keywords));
                continue;
            }
            if (!byFlags.TryGetValue(after.Flags, out var alike)) byFlags.Add(after.Flags, alike = []);
            alike.Add(after.Uid);
        }
        foreach (var (system, alike) in byFlags) Write(store, mailboxId, alike, system, modSeq);
        MailboxTable.Count(store, mailboxId, counters);
        if (messages.Exists(message => message.ModSeq == modSeq)) MailboxTable.TakeModSeq(store, mailboxId);
        return (messages, modSeq);
    }

    /// <summary>Gives messages that are alike their flags and mod-sequence.</summary>
    public static void Write(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids, SystemFlags flags, ulong modSeq) =>
        store.Run("UPDATE messages SET modseq = ?3, flags = ?4 WHERE mailbox_id = ?1 AND uid IN (SELECT value FROM json_each(?2))",
            mailboxId, Set(uids), (long)modSeq, (int)flags);

    /// <summary>Expunges the messages of these UIDs.</summary>
    public static ExpungedMessages Expunge(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids) =>
        Expunge(store, mailboxId, [.. In(store, mailboxId, uids)]);

    /// <summary>Expunges messages that are as the caller knows them.</summary>
    public static ExpungedMessages Expunge(StoreConnection store, long mailboxId, IReadOnlyList<MessageRecord> messages)
    {
        if (messages.Count == 0) return new ExpungedMessages([], 0);
        var removed = new List<uint>(messages.Count);
        var contents = new List<long>(messages.Count);
        var counters = default(MailboxCounters);
        foreach (var message in messages)
        {
            removed.Add(message.Uid);
            contents.Add(message.ContentId);
            counters -= MailboxCounters.Of(message);
        }
        store.Run("DELETE FROM messages WHERE mailbox_id = ?1 AND uid IN (SELECT value FROM json_each(?2))", mailboxId, Set(removed));
        ContentTable.Release(store, contents);
        MailboxTable.Count(store, mailboxId, counters);
        var modSeq = MailboxTable.TakeModSeq(store, mailboxId);
        ExpungeTable.Add(store, mailboxId, modSeq, removed);
        return new ExpungedMessages(removed, modSeq);
    }

    /// <summary>Removes the messages of a mailbox that goes itself.</summary>
    public static void RemoveAll(StoreConnection store, long mailboxId)
    {
        ContentTable.Release(store, store.All("SELECT content_id FROM messages WHERE mailbox_id = ?1", static row => row.GetInt64(0), mailboxId));
        store.Run("DELETE FROM messages WHERE mailbox_id = ?1", mailboxId);
        FlagChangeTable.RemoveAll(store, mailboxId);
    }

    /// <summary>The bytes of the messages that carry \Deleted.</summary>
    public static ulong DeletedBytes(StoreConnection store, long mailboxId)
    {
        var bytes = 0ul;
        foreach (var message in All(store, mailboxId))
            if ((message.Flags & SystemFlags.Deleted) != 0) bytes += message.SizeBytes;
        return bytes;
    }

    /// <summary>Copies messages; the caller has made sure that the target exists.</summary>
    public static CopiedMessages Copy(StoreConnection store, long fromMailboxId, IReadOnlyList<uint> uids, long toMailboxId, bool move)
    {
        var byUid = In(store, fromMailboxId, uids).ToDictionary(static message => message.Uid);
        var originals = uids.Distinct().Where(byUid.ContainsKey).Select(uid => byUid[uid]).ToList();
        if (originals.Count == 0) return new CopiedMessages([], 0);
        var uid = MailboxTable.TakeUids(store, toMailboxId, originals.Count);
        var modSeq = MailboxTable.TakeModSeq(store, toMailboxId);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        // What is copied is what the rows say.
        FlagChangeTable.Settle(store, fromMailboxId);
        store.Run("""
            INSERT INTO messages SELECT ?2, ?3 + named.key, ?4, flags, keywords, date_seconds, date_offset, size_bytes, content_id, ?5
            FROM json_each(?6) AS named CROSS JOIN messages ON mailbox_id = ?1 AND uid = named.value
            """, fromMailboxId, toMailboxId, uid, (long)modSeq, now, Set(originals.ConvertAll(static original => original.Uid)));
        var copies = new List<(uint, MessageRecord)>(originals.Count);
        var counters = default(MailboxCounters);
        foreach (var original in originals)
        {
            var copy = original with { Uid = uid++, ModSeq = modSeq, SavedSeconds = now };
            counters += MailboxCounters.Of(copy);
            copies.Add((original.Uid, copy));
        }
        MailboxTable.Count(store, toMailboxId, counters);
        ContentTable.Refer(store, originals.ConvertAll(static original => original.ContentId));
        // Only now, so that the shared contents are never without a reference.
        var expunged = move ? Expunge(store, fromMailboxId, [.. originals.OrderBy(static original => original.Uid)]) : default;
        return new CopiedMessages(copies, expunged.ModSeq);
    }

    private static void Insert(StoreConnection store, long mailboxId, MessageRecord message) =>
        store.Run("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", mailboxId, message.Uid, (long)message.ModSeq, (int)message.Flags,
            string.Join(' ', message.Keywords), message.InternalDate.ToUnixTimeSeconds(), (long)message.InternalDate.Offset.TotalMinutes,
            message.SizeBytes, message.ContentId, message.SavedSeconds);

    private static MessageList In(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids)
    {
        var messages = new MessageList();
        store.EachRow(Columns + " AND uid IN (SELECT value FROM json_each(?2)) ORDER BY uid", messages.Add, mailboxId, Set(uids));
        FlagChangeTable.Apply(FlagChangeTable.Of(store, mailboxId), messages);
        return messages;
    }

    /// <summary>UIDs as one value of a statement.</summary>
    private static string Set(IReadOnlyList<uint> uids) => "[" + string.Join(',', uids) + "]";

    /// <returns>The very same record when nothing changes.</returns>
    private static MessageRecord Apply(MessageRecord message, StoreOperation operation, FlagList flags)
    {
        var system = operation switch
        {
            StoreOperation.Add => message.Flags | flags.System,
            StoreOperation.Remove => message.Flags & ~flags.System,
            _ => flags.System,
        };
        var keywords = operation switch
        {
            StoreOperation.Add => Union(message.Keywords, flags.Keywords),
            StoreOperation.Remove => message.Keywords.RemoveRange(flags.Keywords, StringComparer.OrdinalIgnoreCase),
            _ => flags.Keywords,
        };
        // The very same list shows that the row's need not be written.
        if (AreSame(keywords, message.Keywords)) keywords = message.Keywords;
        return system == message.Flags && keywords == message.Keywords ? message : message with { Flags = system, Keywords = keywords };
    }

    private static ImmutableArray<string> Union(ImmutableArray<string> present, ImmutableArray<string> added) =>
        [.. present, .. added.Where(keyword => !present.Contains(keyword, StringComparer.OrdinalIgnoreCase))];

    private static bool AreSame(ImmutableArray<string> left, ImmutableArray<string> right) =>
        left.Length == right.Length && left.All(keyword => right.Contains(keyword, StringComparer.OrdinalIgnoreCase));
}
