using System.Runtime.InteropServices;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>Changes of the system flags of many messages, written down as ranges of UIDs in place of one row for each message. They are applied to what is read
/// of the messages; a change to a single message brings its row up to date.</summary>
internal static class FlagChangeTable
{
    /// <summary>The first version of a store that has it.</summary>
    public const int SinceVersion = 3;

    /// <summary>Ranges kept for a mailbox. With more of them the messages' rows are brought up to date, so that reading stays quick.</summary>
    public const int MaxRows = 64;

    /// <summary>Writes a change down, and counts it.</summary>
    /// <returns>Its mod-sequence.</returns>
    public static ulong Add(StoreConnection store, long mailboxId, FlagRanges change)
    {
        if (Count(store, mailboxId) + change.Ranges.Count > MaxRows) Settle(store, mailboxId);
        var modSeq = MailboxTable.TakeModSeq(store, mailboxId);
        foreach (var range in change.Ranges)
            store.Run("INSERT INTO flag_changes VALUES (?1, ?2, ?3, ?4, ?5, ?6)", mailboxId, (long)modSeq, range.First, range.Last, (int)change.Added, (int)change.Removed);
        MailboxTable.Count(store, mailboxId, new MailboxCounters(0, change.Unseen, change.Deleted, 0));
        return modSeq;
    }

    /// <summary>The changes of a mailbox in the order in which they were made.</summary>
    public static List<FlagRange> Of(StoreConnection store, long mailboxId)
    {
        var changes = new List<FlagRange>();
        store.EachRow("SELECT modseq, first_uid, last_uid, added, removed FROM flag_changes WHERE mailbox_id = ?1 ORDER BY modseq, first_uid", row =>
            changes.Add(new FlagRange((ulong)row.Integer(0), (uint)row.Integer(1), (uint)row.Integer(2), (SystemFlags)row.Integer(3), (SystemFlags)row.Integer(4))), mailboxId);
        return changes;
    }

    /// <summary>Applies the changes of a mailbox to what was read of it.</summary>
    public static void Apply(List<FlagRange> changes, MessageList messages)
    {
        foreach (var change in CollectionsMarshal.AsSpan(changes))
        {
            for (var i = messages.IndexOf(change.First); i < messages.Count && messages.Uids[i] <= change.Last; i++)
            {
                var (flags, modSeq) = (messages.Flags[i], messages.ModSeqOf(i));
                if (change.TryApply(ref flags, ref modSeq)) messages.SetFlags(i, flags, modSeq);
            }
        }
    }

    /// <summary>Applies the changes of a mailbox to a message that was read of it.</summary>
    public static MessageRecord Apply(List<FlagRange> changes, MessageRecord message)
    {
        var (flags, modSeq) = (message.Flags, message.ModSeq);
        foreach (var change in CollectionsMarshal.AsSpan(changes))
            if (message.Uid >= change.First && message.Uid <= change.Last) change.TryApply(ref flags, ref modSeq);
        return modSeq == message.ModSeq ? message : message with { Flags = flags, ModSeq = modSeq };
    }

    /// <summary>Brings the rows of a mailbox's messages up to date.</summary>
    public static void Settle(StoreConnection store, long mailboxId)
    {
        if (Count(store, mailboxId) == 0) return;
        UpdateMessages(store, mailboxId);
        RemoveAll(store, mailboxId);
    }

    /// <summary>The mailboxes with changes that their messages' rows do not show.</summary>
    public static List<long> Mailboxes(StoreConnection store) => store.All("SELECT DISTINCT mailbox_id FROM flag_changes", static row => row.GetInt64(0));

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM flag_changes WHERE mailbox_id = ?1", mailboxId);

    /// <summary>Makes every later statement of this connection read messages whose rows are up to date, also where the database may not be written.</summary>
    public static void Shadow(StoreConnection store)
    {
        if (Mailboxes(store) is not { Count: > 0 } mailboxes) return;
        // What is temporary hides what is in the database under the same name.
        store.Execute("CREATE TEMP TABLE messages AS SELECT * FROM main.messages; CREATE UNIQUE INDEX temp.messages_by_uid ON messages (mailbox_id, uid);");
        foreach (var mailbox in mailboxes) UpdateMessages(store, mailbox);
    }

    private static void UpdateMessages(StoreConnection store, long mailboxId)
    {
        var changes = Of(store, mailboxId);
        var due = new Dictionary<(SystemFlags Flags, ulong ModSeq), List<uint>>();
        store.EachRow("SELECT uid, modseq, flags FROM messages WHERE mailbox_id = ?1", row =>
        {
            var (uid, before, flags) = ((uint)row.Integer(0), (ulong)row.Integer(1), (SystemFlags)row.Integer(2));
            var modSeq = before;
            foreach (var change in CollectionsMarshal.AsSpan(changes))
                if (uid >= change.First && uid <= change.Last) change.TryApply(ref flags, ref modSeq);
            if (modSeq == before) return;
            if (!due.TryGetValue((flags, modSeq), out var uids)) due.Add((flags, modSeq), uids = []);
            uids.Add(uid);
        }, mailboxId);
        foreach (var ((flags, modSeq), uids) in due) MessageTable.Write(store, mailboxId, uids, flags, modSeq);
    }

    private static long Count(StoreConnection store, long mailboxId) => store.Scalar<long>("SELECT count(*) FROM flag_changes WHERE mailbox_id = ?1", mailboxId);
}

/// <summary>A change that was written down.</summary>
/// <param name="ModSeq">The mod-sequence of the messages that it changes.</param>
/// <param name="First">The first UID it is for.</param>
/// <param name="Last">The last UID it is for.</param>
/// <param name="Added">The flags it sets.</param>
/// <param name="Removed">The flags it takes away.</param>
internal readonly record struct FlagRange(ulong ModSeq, uint First, uint Last, SystemFlags Added, SystemFlags Removed)
{
    /// <summary>Changes a message in the range, unless it is newer or has these flags already.</summary>
    public bool TryApply(ref SystemFlags flags, ref ulong modSeq)
    {
        var changed = (flags | Added) & ~Removed;
        if (modSeq >= ModSeq || changed == flags) return false;
        (flags, modSeq) = (changed, ModSeq);
        return true;
    }
}

/// <summary>A change of the system flags of many messages.</summary>
/// <param name="Ranges">Of UIDs, ascending; none has a message in it that is to be left alone.</param>
/// <param name="Added">The flags to set.</param>
/// <param name="Removed">The flags to take away.</param>
/// <param name="Unseen">How many more messages are unseen afterwards.</param>
/// <param name="Deleted">How many more messages carry \Deleted afterwards.</param>
internal sealed record FlagRanges(IReadOnlyList<SequenceRange> Ranges, SystemFlags Added, SystemFlags Removed, long Unseen, long Deleted);
