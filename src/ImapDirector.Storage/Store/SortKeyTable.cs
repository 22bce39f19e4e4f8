using System.Buffers.Binary;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>The keys of SORT and THREAD. SQLite does the sorting: in little memory however large the mailbox.</summary>
internal static class SortKeyTable
{
    private const string FromMailbox = " FROM messages AS m JOIN sort_keys AS k ON k.content_id = m.content_id WHERE m.mailbox_id = ?1";

    public static void Add(StoreConnection store, long contentId, SortKeys keys) =>
        store.Run("INSERT OR REPLACE INTO sort_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", contentId, keys.SentSeconds, keys.Subject,
            keys.IsReply, keys.From, keys.To, keys.Cc, keys.FromName, keys.ToName, keys.MessageId, keys.Parents);

    /// <summary>The contents of a mailbox that came before there were keys.</summary>
    public static List<long> Missing(StoreConnection store, long mailboxId) => store.All("""
        SELECT DISTINCT content_id FROM messages WHERE mailbox_id = ?1 AND NOT EXISTS (SELECT 1 FROM sort_keys WHERE sort_keys.content_id = messages.content_id)
        """, static row => row.GetInt64(0), mailboxId);

    /// <summary>All UIDs of a mailbox in the order of the criteria; equal ones in the order of arrival (RFC 5256 section 3).</summary>
    public static List<uint> Sorted(StoreConnection store, long mailboxId, IEnumerable<SortCriterion> criteria)
    {
        var uids = new List<uint>();
        var order = string.Concat(criteria.Select(static criterion => ColumnOf(criterion.Key) + (criterion.Reverse ? " DESC, " : ", ")));
        store.EachRow("SELECT m.uid" + FromMailbox + " ORDER BY " + order + "m.uid", row => uids.Add((uint)row.Integer(0)), mailboxId);
        return uids;
    }

    /// <summary>What THREAD needs to know of all messages of a mailbox, in UID order.</summary>
    public static List<ThreadItem> ThreadItems(StoreConnection store, long mailboxId, bool withParents)
    {
        var ids = withParents ? "k.message_id, k.parents" : "NULL, NULL";
        var items = new List<ThreadItem>();
        store.EachRow("SELECT m.uid, coalesce(k.sent_seconds, m.date_seconds), k.subject, k.is_reply, " + ids + FromMailbox + " ORDER BY m.uid", row =>
            items.Add(new ThreadItem((uint)row.Integer(0), row.Integer(1), row.Text(2), row.Integer(3) != 0, IdOf(row.Bytes(4)), row.Bytes(5).ToArray())), mailboxId);
        return items;
    }

    private static UInt128? IdOf(ReadOnlySpan<byte> hash) => hash.IsEmpty ? null : BinaryPrimitives.ReadUInt128LittleEndian(hash);

    // A constant for each criterion: nothing of the client's gets into the statement.
    private static string ColumnOf(SortKey key) => key switch
    {
        SortKey.Arrival => "m.date_seconds",
        SortKey.Cc => "k.cc_mailbox",
        SortKey.Date => "coalesce(k.sent_seconds, m.date_seconds)",
        SortKey.From => "k.from_mailbox",
        SortKey.Size => "m.size_bytes",
        SortKey.Subject => "k.subject",
        SortKey.To => "k.to_mailbox",
        SortKey.DisplayFrom => "k.from_name",
        SortKey.DisplayTo => "k.to_name",
        _ => throw new InvalidOperationException($"Nothing is sorted by {key}."),
    };
}

/// <summary>What THREAD needs to know of a message.</summary>
/// <param name="Uid">Its UID.</param>
/// <param name="SentSeconds">When it was sent, in seconds since 1970.</param>
/// <param name="Subject">Its base subject, folded.</param>
/// <param name="IsReply">Whether its subject was that of a reply or a forward.</param>
/// <param name="MessageId">The hash of its message id, or <c>null</c>.</param>
/// <param name="Parents">The hashes of the messages it refers to, the eldest first.</param>
internal sealed record ThreadItem(uint Uid, long SentSeconds, string Subject, bool IsReply, UInt128? MessageId, byte[] Parents);
