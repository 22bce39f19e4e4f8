using System.Globalization;
using ImapDirector.Protocol.Imap;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Whether the mailboxes can be, and their numbers are those of their rows.</summary>
internal static class MailboxCheck
{
    private const string Counters = """
        SELECT b.id, b.name, b.selectable, b.uid_validity, b.uid_next, b.highest_modseq, b.first_recent_uid, b.messages, b.unseen, b.deleted, b.size_bytes,
          count(m.uid), coalesce(sum(m.flags & 1 = 0), 0), coalesce(sum(m.flags & 8 <> 0), 0), coalesce(sum(m.size_bytes), 0), coalesce(max(m.uid), 0),
          coalesce(max(m.modseq), 0)
        FROM mailboxes b LEFT JOIN messages m ON m.mailbox_id = b.id GROUP BY b.id ORDER BY b.name
        """;

    /// <returns>The names of the mailboxes by id, fit to be shown.</returns>
    public static Dictionary<long, string> Run(StoreConnection store, StoreCondition condition)
    {
        var names = new Dictionary<long, string>();
        var highest = 0L;
        var hasInbox = false;
        store.Each(Counters, row =>
        {
            var name = StoreCondition.Shown(row.GetString(1));
            names.Add(row.GetInt64(0), name);
            highest = Math.Max(highest, row.GetInt64(3));
            hasInbox |= row.GetString(1) == MailboxName.Inbox.Value && row.GetInt64(2) != 0;
            CheckRow(row, name, condition);
        });
        if (!hasInbox) condition.Add(StoreFindingKind.Mailbox, "there is no INBOX that can be selected");
        var last = store.Scalar<long?>("SELECT value FROM counters WHERE name = 'uid_validity'");
        if (last is null) condition.Add(StoreFindingKind.Counter, "the counter of UIDVALIDITY is missing");
        else if (last < highest)
            condition.Add(StoreFindingKind.Counter, string.Create(CultureInfo.InvariantCulture, $"the counter of UIDVALIDITY is {last}, below a mailbox's {highest}"));
        return names;
    }

    private static void CheckRow(SqliteDataReader row, string name, StoreCondition condition)
    {
        if (!MailboxName.TryCreate(row.GetString(1), out var valid) || valid.Value != row.GetString(1))
            condition.Add(StoreFindingKind.Mailbox, $"{name} is no name that a mailbox can have");
        if (row.GetInt64(2) == 0 && row.GetInt64(11) > 0) condition.Add(StoreFindingKind.Mailbox, $"{name} cannot be selected and has messages");
        Compare("messages", 7, 11);
        Compare("unseen messages", 8, 12);
        Compare("deleted messages", 9, 13);
        Compare("bytes", 10, 14);
        var (validity, next, recent, modSeq) = (row.GetInt64(3), row.GetInt64(4), row.GetInt64(6), row.GetInt64(5));
        if (validity is < 1 or > uint.MaxValue) Tell($"UIDVALIDITY {validity}, which cannot be");
        if (next <= row.GetInt64(15) || next is < 1 or > uint.MaxValue) Tell($"UIDNEXT {next} where the highest UID is {row.GetInt64(15)}");
        if (recent < 1 || recent > next) Tell($"{recent} as the first recent UID where UIDNEXT is {next}");
        if (modSeq < Math.Max(row.GetInt64(16), 1)) Tell($"HIGHESTMODSEQ {modSeq} where a message has {row.GetInt64(16)}");

        void Compare(string what, int counter, int counted)
        {
            if (row.GetInt64(counter) != row.GetInt64(counted)) Tell($"{row.GetInt64(counter)} {what} in its counter where there are {row.GetInt64(counted)}");
        }

        void Tell(FormattableString what) => condition.Add(StoreFindingKind.Counter, $"{name} has {FormattableString.Invariant(what)}");
    }
}
