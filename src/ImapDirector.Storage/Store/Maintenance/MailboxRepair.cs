using System.Globalization;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Gives mailboxes what they lack, and their numbers what their rows say.</summary>
internal static class MailboxRepair
{
    public static void MendMailboxes(StoreConnection store, StoreCondition condition)
    {
        // First, because every mailbox that is made takes its UIDVALIDITY from it.
        store.Run("INSERT OR IGNORE INTO counters VALUES ('uid_validity', 0)");
        store.Run("""
            UPDATE counters SET value = max(value, (SELECT coalesce(max(uid_validity), 0) FROM mailboxes WHERE uid_validity <= 4294967295)) WHERE name = 'uid_validity'
            """);
        RenewUidValidity(store, store.All("SELECT id FROM mailboxes WHERE uid_validity NOT BETWEEN 1 AND 4294967295", static row => row.GetInt64(0)));
        foreach (var (id, name) in store.All("SELECT id, name FROM mailboxes", static row => (row.GetInt64(0), row.GetString(1))))
            if (!MailboxName.TryCreate(name, out var valid) || valid.Value != name) store.Run("UPDATE mailboxes SET name = ?2 WHERE id = ?1", id, FreeName(store).Value);
        // One of that name that cannot be selected is replaced.
        if (MailboxTable.Find(store, MailboxName.Inbox) is not { Selectable: true }) MailboxTable.Create(store, MailboxName.Inbox, specialUse: null);
        foreach (var missing in condition.MissingMailboxes)
        {
            var name = FreeName(store);
            MailboxTable.Create(store, name, specialUse: null);
            MailboxTable.SetSubscribed(store, name.Value, subscribed: true);
            store.Run("UPDATE messages SET mailbox_id = ?2 WHERE mailbox_id = ?1", missing, MailboxTable.Find(store, name)!.Id);
        }
        store.Run("UPDATE mailboxes SET selectable = 1 WHERE selectable = 0 AND EXISTS (SELECT 1 FROM messages WHERE mailbox_id = mailboxes.id)");
    }

    /// <summary>Gives all mailboxes a new UIDVALIDITY, so that clients forget what they know of them.</summary>
    public static void RenewUidValidity(StoreConnection store) => RenewUidValidity(store, store.All("SELECT id FROM mailboxes", static row => row.GetInt64(0)));

    public static void MendCounters(StoreConnection store)
    {
        store.Run("""
            UPDATE mailboxes SET (messages, unseen, deleted, size_bytes) =
              (SELECT count(*), coalesce(sum(flags & 1 = 0), 0), coalesce(sum(flags & 8 <> 0), 0), coalesce(sum(size_bytes), 0) FROM messages WHERE mailbox_id = mailboxes.id)
            """);
        store.Run("""
            UPDATE mailboxes SET
              uid_next = CASE WHEN uid_next BETWEEN 1 AND 4294967295 THEN max(uid_next, highest.uid + 1) ELSE highest.uid + 1 END,
              highest_modseq = max(highest_modseq, highest.modseq, 1)
            FROM (SELECT b.id AS mailbox, coalesce(max(m.uid), 0) AS uid, coalesce(max(m.modseq), 0) AS modseq
                  FROM mailboxes b LEFT JOIN messages m ON m.mailbox_id = b.id AND m.uid < 4294967295 GROUP BY b.id) AS highest
            WHERE highest.mailbox = mailboxes.id
            """);
        store.Run("UPDATE mailboxes SET first_recent_uid = min(max(first_recent_uid, 1), uid_next)");
    }

    /// <summary>The mailbox for what has lost its place; it is made where there is none.</summary>
    public static long TakeRecovered(StoreConnection store)
    {
        var name = new MailboxName(StoreRepair.Recovered);
        if (MailboxTable.Find(store, name) is not { Selectable: true })
        {
            MailboxTable.Create(store, name, specialUse: null);
            MailboxTable.SetSubscribed(store, name.Value, subscribed: true);
        }
        return MailboxTable.Find(store, name)!.Id;
    }

    private static void RenewUidValidity(StoreConnection store, List<long> mailboxes)
    {
        foreach (var id in mailboxes) store.Run("UPDATE mailboxes SET uid_validity = ?2 WHERE id = ?1", id, MailboxTable.TakeUidValidity(store));
    }

    private static MailboxName FreeName(StoreConnection store)
    {
        var name = new MailboxName(StoreRepair.Recovered);
        for (var number = 2; MailboxTable.Find(store, name) is not null; number++)
            name = new MailboxName(string.Create(CultureInfo.InvariantCulture, $"{StoreRepair.Recovered} {number}"));
        return name;
    }
}
