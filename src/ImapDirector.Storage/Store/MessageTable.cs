using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store;

/// <summary>The messages of the mailboxes: their UIDs, flags and dates. What they say is in <see cref="ContentTable"/>.</summary>
internal static class MessageTable
{
    private const string Columns = "SELECT uid, modseq, flags, keywords, date_seconds, date_offset, size_bytes, content_id, saved_seconds FROM messages WHERE mailbox_id = ?1";

    public static List<MessageRecord> All(StoreConnection store, long mailboxId) => store.All(Columns + " ORDER BY uid", Read, mailboxId);

    public static void Add(StoreConnection store, long mailboxId, MessageRecord message) =>
        store.Run("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", mailboxId, message.Uid, (long)message.ModSeq, (int)message.Flags,
            string.Join(' ', message.Keywords), message.InternalDate.ToUnixTimeSeconds(), (long)message.InternalDate.Offset.TotalMinutes,
            message.SizeBytes, message.ContentId, message.SavedSeconds);

    public static List<MessageRecord> StoreFlags(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids, StoreOperation operation, FlagList flags)
    {
        var messages = new List<MessageRecord>(uids.Count);
        ulong? modSeq = null;
        foreach (var uid in uids)
        {
            if (Find(store, mailboxId, uid) is not { } message) continue;
            var changed = Apply(message, operation, flags);
            if (changed != message)
            {
                changed = changed with { ModSeq = modSeq ??= MailboxTable.TakeModSeq(store, mailboxId) };
                store.Run("UPDATE messages SET modseq = ?3, flags = ?4, keywords = ?5 WHERE mailbox_id = ?1 AND uid = ?2",
                    mailboxId, uid, (long)changed.ModSeq, (int)changed.Flags, string.Join(' ', changed.Keywords));
            }
            messages.Add(changed);
        }
        return messages;
    }

    public static ExpungedMessages Expunge(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids, bool onlyDeleted)
    {
        var removed = new List<uint>();
        foreach (var uid in uids)
            if (store.Run("DELETE FROM messages WHERE mailbox_id = ?1 AND uid = ?2 AND (?3 = 0 OR flags & 8 <> 0)", mailboxId, uid, onlyDeleted) > 0) removed.Add(uid);
        if (removed.Count == 0) return new ExpungedMessages([], 0);
        removed.Sort();
        var modSeq = MailboxTable.TakeModSeq(store, mailboxId);
        ExpungeTable.Add(store, mailboxId, modSeq, removed);
        return new ExpungedMessages(removed, modSeq);
    }

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM messages WHERE mailbox_id = ?1", mailboxId);

    /// <summary>Copies messages; the caller has made sure that the target exists.</summary>
    public static CopiedMessages Copy(StoreConnection store, long fromMailboxId, IReadOnlyList<uint> uids, long toMailboxId, bool move)
    {
        var originals = uids.Select(uid => Find(store, fromMailboxId, uid)).OfType<MessageRecord>().ToList();
        if (originals.Count == 0) return new CopiedMessages([], 0);
        var uid = MailboxTable.TakeUids(store, toMailboxId, originals.Count);
        var modSeq = MailboxTable.TakeModSeq(store, toMailboxId);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var copies = new List<(uint, MessageRecord)>(originals.Count);
        foreach (var original in originals)
        {
            var copy = original with { Uid = uid++, ModSeq = modSeq, SavedSeconds = now };
            Add(store, toMailboxId, copy);
            copies.Add((original.Uid, copy));
        }
        // Only now, so that the shared contents are never without a reference.
        var expunged = move ? Expunge(store, fromMailboxId, originals.ConvertAll(static original => original.Uid), onlyDeleted: false) : default;
        return new CopiedMessages(copies, expunged.ModSeq);
    }

    private static MessageRecord? Find(StoreConnection store, long mailboxId, uint uid) => store.First(Columns + " AND uid = ?2", Read, mailboxId, uid);

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
        return system == message.Flags && AreSame(keywords, message.Keywords) ? message : message with { Flags = system, Keywords = keywords };
    }

    private static ImmutableArray<string> Union(ImmutableArray<string> present, ImmutableArray<string> added) =>
        [.. present, .. added.Where(keyword => !present.Contains(keyword, StringComparer.OrdinalIgnoreCase))];

    private static bool AreSame(ImmutableArray<string> left, ImmutableArray<string> right) =>
        left.Length == right.Length && left.All(keyword => right.Contains(keyword, StringComparer.OrdinalIgnoreCase));

    private static MessageRecord Read(SqliteDataReader row) => new((uint)row.GetInt64(0), (ulong)row.GetInt64(1), (SystemFlags)row.GetInt32(2),
        row.GetString(3) is { Length: > 0 } keywords ? [.. keywords.Split(' ')] : [],
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(4)).ToOffset(TimeSpan.FromMinutes(row.GetInt64(5))), (uint)row.GetInt64(6), row.GetInt64(7)) { SavedSeconds = row.GetInt64(8) };
}
