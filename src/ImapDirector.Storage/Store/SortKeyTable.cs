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

    /// <summary>What THREAD needs to know of messages of a mailbox.</summary>
    /// <param name="store">The store.</param>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="wanted">The UIDs of those that are meant, ascending.</param>
    /// <param name="withParents">Whether message ids are asked for.</param>
    public static ThreadItems ThreadItems(StoreConnection store, long mailboxId, List<uint> wanted, bool withParents)
    {
        // Each column of each row is a call into SQLite: what is small goes together.
        var ids = withParents ? "(length(k.message_id) > 0) * 2, k.message_id || k.parents" : "0, NULL";
        var items = new ThreadItems();
        var next = 0;
        store.EachRow("SELECT m.uid * 4 + k.is_reply + " + ids + ", coalesce(k.sent_seconds, m.date_seconds), k.subject" + FromMailbox + " ORDER BY m.uid", row =>
        {
            var packed = row.Integer(0);
            var uid = (uint)(packed >> 2);
            while (next < wanted.Count && wanted[next] < uid) next++;
            if (next == wanted.Count || wanted[next] != uid) return;
            items.Add(uid, row.Integer(2), row.Bytes(3), isReply: (packed & 1) != 0, hasId: (packed & 2) != 0, row.Bytes(1));
        }, mailboxId);
        return items;
    }

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
