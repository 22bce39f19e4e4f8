using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>Which UIDs were expunged at which mod-sequence (RFC 7162 section 3.2.5), as ranges.</summary>
internal static class ExpungeTable
{
    /// <summary>Ranges kept for one mailbox. A client that comes back from before the oldest is told of every UID that is missing, which is as right and longer.</summary>
    public const int MaxRows = 10_000;

    /// <param name="store">The user's store.</param>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="modSeq">The mod-sequence of this transaction.</param>
    /// <param name="uids">What was expunged, ascending.</param>
    public static void Add(StoreConnection store, long mailboxId, ulong modSeq, List<uint> uids)
    {
        // One statement, because every second message of a large mailbox may be gone.
        var ranges = new StringBuilder("[");
        var rows = 0;
        for (var start = 0; start < uids.Count;)
        {
            var end = start;
            while (end + 1 < uids.Count && uids[end + 1] == uids[end] + 1) end++;
            ranges.Append(rows++ == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"[{uids[start]},{uids[end]}]");
            start = end + 1;
        }
        store.Run("INSERT INTO expunges SELECT ?1, ?2, value ->> 0, value ->> 1 FROM json_each(?3)", mailboxId, (long)modSeq, ranges.Append(']').ToString());
        var kept = store.Scalar<long>("UPDATE mailboxes SET expunge_rows = expunge_rows + ?2 WHERE id = ?1 RETURNING expunge_rows", mailboxId, rows);
        if (kept > MaxRows) ForgetOlderHalf(store, mailboxId);
    }

    /// <summary>What was expunged after a mod-sequence, ascending; ranges may touch and overlap.</summary>
    /// <returns><c>null</c> when that is too long ago to be known.</returns>
    public static List<SequenceRange>? Since(StoreConnection store, long mailboxId, ulong modSeq)
    {
        if (store.Scalar<long>("SELECT expunges_forgotten FROM mailboxes WHERE id = ?1", mailboxId) > (long)modSeq) return null;
        return store.All("SELECT first_uid, last_uid FROM expunges WHERE mailbox_id = ?1 AND modseq > ?2 ORDER BY first_uid",
            static row => new SequenceRange((uint)row.GetInt64(0), (uint)row.GetInt64(1)), mailboxId, (long)modSeq);
    }

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM expunges WHERE mailbox_id = ?1", mailboxId);

    private static void ForgetOlderHalf(StoreConnection store, long mailboxId)
    {
        var modSeq = store.Scalar<long>("SELECT modseq FROM expunges WHERE mailbox_id = ?1 ORDER BY modseq DESC LIMIT 1 OFFSET ?2", mailboxId, MaxRows / 2);
        var forgotten = store.Run("DELETE FROM expunges WHERE mailbox_id = ?1 AND modseq <= ?2", mailboxId, modSeq);
        store.Run("UPDATE mailboxes SET expunge_rows = expunge_rows - ?2, expunges_forgotten = ?3 WHERE id = ?1", mailboxId, forgotten, modSeq);
    }
}
