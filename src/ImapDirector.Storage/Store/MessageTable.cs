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
        var set = Set(uids);
        var modSeq = MailboxTable.NextModSeq(store, mailboxId);
        var changed = flags.Keywords.IsEmpty && operation != StoreOperation.Replace
            ? StoreSystemFlags(store, mailboxId, set, modSeq, operation, (int)flags.System)
            : StoreOneByOne(store, mailboxId, set, modSeq, operation, flags);
        if (changed > 0) MailboxTable.TakeModSeq(store, mailboxId);
        return In(store, mailboxId, set);
    }

    /// <summary>Expunges the messages of these UIDs, or those of them that carry \Deleted.</summary>
    public static ExpungedMessages Expunge(StoreConnection store, long mailboxId, IReadOnlyList<uint> uids, bool onlyDeleted)
    {
        var removed = store.All("DELETE FROM messages WHERE mailbox_id = ?1 AND uid IN (SELECT value FROM json_each(?2)) AND (?3 = 0 OR flags & 8 <> 0) RETURNING uid",
            static row => (uint)row.GetInt64(0), mailboxId, Set(uids), onlyDeleted);
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
        var byUid = In(store, fromMailboxId, Set(uids)).ToDictionary(static message => message.Uid);
        var originals = uids.Distinct().Where(byUid.ContainsKey).Select(uid => byUid[uid]).ToList();
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

    private static List<MessageRecord> In(StoreConnection store, long mailboxId, string set) =>
        store.All(Columns + " AND uid IN (SELECT value FROM json_each(?2)) ORDER BY uid", Read, mailboxId, set);

    /// <summary>UIDs as one value of a statement.</summary>
    private static string Set(IReadOnlyList<uint> uids) => "[" + string.Join(',', uids) + "]";

    /// <summary>One statement for all of them, where SQL can say what changes.</summary>
    private static int StoreSystemFlags(StoreConnection store, long mailboxId, string set, ulong modSeq, StoreOperation operation, int flags) =>
        store.Run(operation == StoreOperation.Add
            ? "UPDATE messages SET modseq = ?3, flags = flags | ?4 WHERE mailbox_id = ?1 AND uid IN (SELECT value FROM json_each(?2)) AND flags & ?4 <> ?4"
            : "UPDATE messages SET modseq = ?3, flags = flags & ~?4 WHERE mailbox_id = ?1 AND uid IN (SELECT value FROM json_each(?2)) AND flags & ?4 <> 0",
            mailboxId, set, (long)modSeq, flags);

    private static int StoreOneByOne(StoreConnection store, long mailboxId, string set, ulong modSeq, StoreOperation operation, FlagList flags)
    {
        var count = 0;
        foreach (var message in In(store, mailboxId, set))
        {
            var changed = Apply(message, operation, flags);
            if (changed == message) continue;
            store.Run("UPDATE messages SET modseq = ?3, flags = ?4, keywords = ?5 WHERE mailbox_id = ?1 AND uid = ?2",
                mailboxId, message.Uid, (long)modSeq, (int)changed.Flags, string.Join(' ', changed.Keywords));
            count++;
        }
        return count;
    }

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
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(4)).ToOffset(TimeSpan.FromMinutes(row.GetInt64(5))), (uint)row.GetInt64(6), row.GetInt64(7))
    { SavedSeconds = row.GetInt64(8) };
}
