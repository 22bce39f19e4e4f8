using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>Which UIDs were expunged at which mod-sequence (RFC 7162 section 3.2.5), as ranges: few of them as rows, many of one expunge packed in one row.</summary>
internal static class ExpungeTable
{
    /// <summary>What is kept for one mailbox, in rows and packed ranges. A client that comes back from before the oldest is told of every UID that is missing,
    /// which is as right and longer.</summary>
    public const int MaxWeight = 10_000;

    /// <summary>What a row counts: more where it is a packed one. The same in SQL is in <see cref="Weights"/>.</summary>
    public const string Weights = "coalesce(sum(1 + coalesce(length(ranges), 0) / 16), 0)";

    private const int BytesOfWeight = 16;
    private const int MostRows = 8;

    /// <param name="store">The user's store.</param>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="modSeq">The mod-sequence of this transaction.</param>
    /// <param name="uids">What was expunged, ascending.</param>
    public static void Add(StoreConnection store, long mailboxId, ulong modSeq, List<uint> uids)
    {
        var ranges = new List<SequenceRange>();
        foreach (var uid in uids)
        {
            if (ranges.Count > 0 && ranges[^1].Last + 1 == uid) ranges[^1] = ranges[^1] with { Last = uid };
            else ranges.Add(new SequenceRange(uid, uid));
        }
        var weight = ranges.Count;
        if (ranges.Count <= MostRows)
        {
            foreach (var range in ranges) store.Run("INSERT INTO expunges VALUES (?1, ?2, ?3, ?4, NULL)", mailboxId, (long)modSeq, range.First, range.Last);
        }
        else
        {
            var packed = PackedRanges.Encode(ranges);
            store.Run("INSERT INTO expunges VALUES (?1, ?2, ?3, ?4, ?5)", mailboxId, (long)modSeq, ranges[0].First, ranges[^1].Last, packed);
            weight = 1 + packed.Length / BytesOfWeight;
        }
        var kept = store.Scalar<long>("UPDATE mailboxes SET expunge_rows = expunge_rows + ?2 WHERE id = ?1 RETURNING expunge_rows", mailboxId, weight);
        if (kept > MaxWeight) ForgetOlderHalf(store, mailboxId);
    }

    /// <summary>What was expunged after a mod-sequence, ascending; ranges may touch and overlap.</summary>
    /// <returns><c>null</c> when that is too long ago to be known.</returns>
    public static List<SequenceRange>? Since(StoreConnection store, long mailboxId, ulong modSeq)
    {
        if (store.Scalar<long>("SELECT expunges_forgotten FROM mailboxes WHERE id = ?1", mailboxId) > (long)modSeq) return null;
        var ranges = new List<SequenceRange>();
        var areSound = true;
        store.EachRow("SELECT first_uid, last_uid, ranges FROM expunges WHERE mailbox_id = ?1 AND modseq > ?2", row =>
        {
            if (row.IsNull(2)) ranges.Add(new SequenceRange((uint)row.Integer(0), (uint)row.Integer(1)));
            else areSound &= PackedRanges.TryDecode(row.Bytes(2), ranges);
        }, mailboxId, (long)modSeq);
        if (!areSound) return null;
        ranges.Sort(static (left, right) => left.First.CompareTo(right.First));
        return ranges;
    }

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM expunges WHERE mailbox_id = ?1", mailboxId);

    private static void ForgetOlderHalf(StoreConnection store, long mailboxId)
    {
        var (weight, modSeq) = (0L, 0L);
        store.EachRow("SELECT modseq, 1 + coalesce(length(ranges), 0) / 16 FROM expunges WHERE mailbox_id = ?1 ORDER BY modseq DESC", row =>
        {
            weight += row.Integer(1);
            if (weight > MaxWeight / 2) modSeq = Math.Max(modSeq, row.Integer(0));
        }, mailboxId);
        store.Run("DELETE FROM expunges WHERE mailbox_id = ?1 AND modseq <= ?2", mailboxId, modSeq);
        store.Run($"UPDATE mailboxes SET expunge_rows = (SELECT {Weights} FROM expunges WHERE mailbox_id = ?1), expunges_forgotten = ?2 WHERE id = ?1", mailboxId, modSeq);
    }
}
