using System.Globalization;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Whether what a store of the second version keeps besides the messages can be: when each came, what was expunged, annotations, and what messages are
/// sorted and searched by.</summary>
internal static class HistoryCheck
{
    public const int SinceVersion = 2;

    private const int HashBytes = 16;

    public static void Run(StoreConnection store, int version, Dictionary<long, string> names, StoreCondition condition)
    {
        if (version >= FlagChangeTable.SinceVersion) CheckFlagChanges(store, names, condition);
        if (version >= AccessTable.SinceVersion) CheckAccess(store, names, condition);
        CheckExpunges(store, version, names, condition);
        store.Each("SELECT mailbox_id, uid FROM messages WHERE saved_seconds NOT BETWEEN ?1 AND ?2",
            row => condition.Add(StoreFindingKind.Message, Text($"{names.GetValueOrDefault(row.GetInt64(0), "a mailbox")} UID {row.GetInt64(1)} came at a time that cannot be")),
            MessageCheck.MinSeconds, MessageCheck.MaxSeconds);
        store.Each("SELECT content_id FROM sort_keys WHERE content_id NOT IN (SELECT id FROM contents)",
            row => condition.Add(StoreFindingKind.Summary, Text($"there are sort keys of content {row.GetInt64(0)}, which does not exist")));
        store.Each("SELECT content_id FROM content_references WHERE content_id NOT IN (SELECT id FROM contents)",
            row => condition.Add(StoreFindingKind.Counter, Text($"references are counted of content {row.GetInt64(0)}, which does not exist")));
        store.Each("SELECT content_id FROM indexed_texts WHERE content_id NOT IN (SELECT id FROM contents)",
            row => condition.Add(StoreFindingKind.Summary, Text($"the text index has content {row.GetInt64(0)}, which does not exist")));
        store.Each("SELECT DISTINCT mailbox_id FROM metadata WHERE mailbox_id <> ?1 AND mailbox_id NOT IN (SELECT id FROM mailboxes)",
            row => condition.Add(StoreFindingKind.Mailbox, Text($"mailbox {row.GetInt64(0)} does not exist, where annotations are of it")), MetadataTable.Account);
        store.Each("SELECT content_id FROM sort_keys WHERE length(message_id) NOT IN (0, ?1) OR length(parents) % ?1 <> 0",
            row => condition.Add(StoreFindingKind.Summary, Text($"content {row.GetInt64(0)} has damaged sort keys")), HashBytes);
    }

    /// <summary>Mends all of it; lists that cannot be are forgotten, so that clients are told of every UID that is missing.</summary>
    public static void Mend(StoreConnection store, StoreCondition condition)
    {
        store.Run("DELETE FROM expunges WHERE mailbox_id NOT IN (SELECT id FROM mailboxes)");
        foreach (var mailbox in condition.WithBadExpunges)
        {
            ExpungeTable.RemoveAll(store, mailbox);
            store.Run("UPDATE mailboxes SET expunges_forgotten = highest_modseq WHERE id = ?1", mailbox);
        }
        store.Run($"""
            UPDATE mailboxes SET expunge_rows = (SELECT {ExpungeTable.Weights} FROM expunges WHERE mailbox_id = mailboxes.id),
              highest_modseq = max(highest_modseq, (SELECT coalesce(max(modseq), 0) FROM expunges WHERE mailbox_id = mailboxes.id))
            """);
        store.Run("UPDATE messages SET saved_seconds = date_seconds WHERE saved_seconds NOT BETWEEN ?1 AND ?2", MessageCheck.MinSeconds, MessageCheck.MaxSeconds);
        store.Run("DELETE FROM metadata WHERE mailbox_id <> ?1 AND mailbox_id NOT IN (SELECT id FROM mailboxes)", MetadataTable.Account);
        store.Run("DELETE FROM access WHERE mailbox_id NOT IN (SELECT id FROM mailboxes)");
        // Who was meant, or what was given, cannot be told: nobody is let in by a guess.
        foreach (var (mailbox, identifier) in BadAccess(store)) store.Run("DELETE FROM access WHERE mailbox_id = ?1 AND identifier = ?2", mailbox, identifier);
        foreach (var id in store.All("SELECT content_id FROM indexed_texts WHERE content_id NOT IN (SELECT id FROM contents)", static row => row.GetInt64(0)))
            TextIndexTable.Remove(store, id);
        // What has none gets them when it is sorted.
        store.Run("DELETE FROM sort_keys WHERE content_id NOT IN (SELECT id FROM contents) OR length(message_id) NOT IN (0, ?1) OR length(parents) % ?1 <> 0", HashBytes);
    }

    /// <summary>Removes what was computed of a content.</summary>
    public static void Forget(StoreConnection store, long contentId)
    {
        store.Run("DELETE FROM sort_keys WHERE content_id = ?1", contentId);
        TextIndexTable.Remove(store, contentId);
    }

    private static void CheckAccess(StoreConnection store, Dictionary<long, string> names, StoreCondition condition)
    {
        store.Each("SELECT DISTINCT mailbox_id FROM access WHERE mailbox_id NOT IN (SELECT id FROM mailboxes)",
            row => condition.Add(StoreFindingKind.Mailbox, Text($"mailbox {row.GetInt64(0)} does not exist, where an access list is of it")));
        foreach (var mailbox in BadAccess(store).Select(static bad => bad.Mailbox).Distinct())
            condition.Add(StoreFindingKind.Mailbox, $"{names.GetValueOrDefault(mailbox, "a mailbox that does not exist")} has an access list that cannot be");
    }

    private static List<(long Mailbox, string Identifier)> BadAccess(StoreConnection store)
    {
        var entries = store.All("SELECT mailbox_id, identifier, rights FROM access", static row => (Mailbox: row.GetInt64(0), Identifier: row.GetString(1), Rights: row.GetString(2)));
        return [.. entries.Where(static entry => !AccessTable.IsSound(entry.Identifier, entry.Rights)).Select(static entry => (entry.Mailbox, entry.Identifier))];
    }

    private static void CheckFlagChanges(StoreConnection store, Dictionary<long, string> names, StoreCondition condition)
    {
        store.Each("""
            SELECT DISTINCT mailbox_id FROM flag_changes LEFT JOIN mailboxes ON id = mailbox_id
            WHERE id IS NULL OR first_uid < 1 OR first_uid > last_uid OR last_uid >= uid_next OR modseq > highest_modseq OR (added | removed) NOT BETWEEN 0 AND ?1
            """, row => condition.Add(StoreFindingKind.Mailbox, Text($"{names.GetValueOrDefault(row.GetInt64(0), "a mailbox that does not exist")} has changes of flags that cannot be")),
            MessageCheck.AllFlags);
    }

    private static void CheckExpunges(StoreConnection store, int version, Dictionary<long, string> names, StoreCondition condition)
    {
        var (weights, single) = version >= FlagChangeTable.SinceVersion ? (ExpungeTable.Weights, "x.ranges IS NULL AND ") : ("count(e.modseq)", "");
        store.Each($"""
            SELECT b.id, b.highest_modseq, b.expunge_rows, b.expunges_forgotten, (SELECT {weights} FROM expunges e WHERE e.mailbox_id = b.id), coalesce(max(e.modseq), 0),
              coalesce(sum(e.first_uid < 1 OR e.first_uid > e.last_uid OR e.last_uid >= b.uid_next), 0)
              + EXISTS (SELECT 1 FROM expunges x WHERE {single}x.mailbox_id = b.id
                  AND EXISTS (SELECT 1 FROM messages m WHERE m.mailbox_id = b.id AND m.uid BETWEEN x.first_uid AND x.last_uid))
            FROM mailboxes b LEFT JOIN expunges e ON e.mailbox_id = b.id GROUP BY b.id ORDER BY b.name
            """, row =>
        {
            var name = names[row.GetInt64(0)];
            if (row.GetInt64(2) != row.GetInt64(4))
                condition.Add(StoreFindingKind.Counter, Text($"{name} has {row.GetInt64(2)} rows of expunged UIDs in its counter where there are {row.GetInt64(4)}"));
            if (row.GetInt64(5) > row.GetInt64(1))
                condition.Add(StoreFindingKind.Counter, Text($"{name} has HIGHESTMODSEQ {row.GetInt64(1)} where an expunge has {row.GetInt64(5)}"));
            if (row.GetInt64(6) == 0 && row.GetInt64(3) <= row.GetInt64(1) && (version < FlagChangeTable.SinceVersion || IsPackedSound(store, row.GetInt64(0)))) return;
            condition.WithBadExpunges.Add(row.GetInt64(0));
            condition.Add(StoreFindingKind.Mailbox, $"{name} has a list of expunged UIDs that cannot be");
        });
        store.Each("SELECT DISTINCT mailbox_id FROM expunges WHERE mailbox_id NOT IN (SELECT id FROM mailboxes)",
            row => condition.Add(StoreFindingKind.Mailbox, Text($"mailbox {row.GetInt64(0)} does not exist, where expunged UIDs are of it")));
    }

    /// <summary>Whether the packed ranges of a mailbox can be, and no message is in them.</summary>
    private static bool IsPackedSound(StoreConnection store, long mailboxId)
    {
        var isSound = true;
        foreach (var (first, last, packed) in store.All("SELECT first_uid, last_uid, ranges FROM expunges WHERE mailbox_id = ?1 AND ranges IS NOT NULL",
            static row => (row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2)), mailboxId))
        {
            var ranges = new List<SequenceRange>();
            if (!PackedRanges.TryDecode(packed, ranges) || ranges.Count == 0 || ranges[0].First != first || ranges[^1].Last != last) return false;
            var next = 0;
            store.Each("SELECT uid FROM messages WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid", row =>
            {
                while (next < ranges.Count && ranges[next].Last < row.GetInt64(0)) next++;
                isSound &= next == ranges.Count || ranges[next].First > row.GetInt64(0);
            }, mailboxId, first, last);
        }
        return isSound;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
