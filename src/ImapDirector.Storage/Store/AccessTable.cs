using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>The access lists of a user's mailboxes (RFC 4314). The owner is in none of them.</summary>
internal static class AccessTable
{
    /// <summary>Entries of one mailbox.</summary>
    public const int MaxEntries = 100;

    /// <summary>Identifiers in all lists of a user, since each has an entry in the <see cref="SharingIndex"/>.</summary>
    public const int MaxIdentifiers = 1000;

    /// <summary>The version of the schema that has it.</summary>
    public const int SinceVersion = 3;

    /// <summary>The access list of a mailbox. Where an entry is damaged it gives nothing to anybody: to guess would be to let somebody in.</summary>
    public static AccessList Find(StoreConnection store, long mailboxId) =>
        ListOf(store.All("SELECT identifier, rights FROM access WHERE mailbox_id = ?1 ORDER BY identifier", static row => (row.GetString(0), row.GetString(1)), mailboxId));

    /// <summary>What a user who is not the owner may do with each mailbox; those without any right are left out.</summary>
    public static Dictionary<long, MailboxRights> RightsOf(StoreConnection store, UserName user)
    {
        var entries = store.All("SELECT mailbox_id, identifier, rights FROM access WHERE identifier IN (?1, '-' || ?1, 'anyone', '-anyone')",
            static row => (Mailbox: row.GetInt64(0), Entry: (row.GetString(1), row.GetString(2))), user.Value);
        return entries.GroupBy(static entry => entry.Mailbox, static entry => entry.Entry)
            .Select(group => (Mailbox: group.Key, Rights: ListOf([.. group]).RightsOf(user)))
            .Where(static found => found.Rights != MailboxRights.None)
            .ToDictionary(static found => found.Mailbox, static found => found.Rights);
    }

    /// <summary>The identifiers that something is given to, in any mailbox.</summary>
    public static List<AccessIdentifier> Given(StoreConnection store) =>
        [.. ListOf(store.All("SELECT DISTINCT identifier, '' FROM access WHERE identifier NOT LIKE '-%'", static row => (row.GetString(0), row.GetString(1))))
            .Entries.Select(static entry => entry.Identifier)];

    /// <summary>Sets an entry; without rights it goes.</summary>
    /// <returns><c>false</c> when there would be too many entries; the transaction has to be given up then.</returns>
    public static bool TrySet(StoreConnection store, long mailboxId, AccessIdentifier identifier, MailboxRights rights)
    {
        if (rights == MailboxRights.None)
        {
            store.Run("DELETE FROM access WHERE mailbox_id = ?1 AND identifier = ?2", mailboxId, identifier.Value);
            return true;
        }
        store.Run("INSERT OR REPLACE INTO access VALUES (?1, ?2, ?3)", mailboxId, identifier.Value, RightsText.Of(rights));
        return store.Scalar<long>("SELECT count(*) FROM access WHERE mailbox_id = ?1", mailboxId) <= MaxEntries
            && store.Scalar<long>("SELECT count(DISTINCT identifier) FROM access") <= MaxIdentifiers;
    }

    /// <summary>Gives a new mailbox what its parent has.</summary>
    public static void Inherit(StoreConnection store, string parent, string child) => store.Run("""
        INSERT INTO access SELECT child.id, identifier, rights FROM access JOIN mailboxes parent ON parent.id = mailbox_id JOIN mailboxes child ON child.name = ?2
        WHERE parent.name = ?1
        """, parent, child);

    public static void RemoveAll(StoreConnection store, long mailboxId) => store.Run("DELETE FROM access WHERE mailbox_id = ?1", mailboxId);

    /// <summary>Whether an entry is as <see cref="TrySet"/> writes it.</summary>
    public static bool IsSound(string identifier, string rights) => TryRead((identifier, rights), out var entry)
        && entry.Identifier.Value == identifier && entry.Rights != MailboxRights.None && RightsText.Of(entry.Rights) == rights;

    private static AccessList ListOf(List<(string Identifier, string Rights)> rows)
    {
        if (rows.Count == 0) return AccessList.Empty;
        var entries = new List<AccessEntry>(rows.Count);
        foreach (var row in rows)
        {
            if (!TryRead(row, out var entry)) return AccessList.Empty;
            entries.Add(entry);
        }
        return new AccessList(entries);
    }

    private static bool TryRead((string Identifier, string Rights) row, out AccessEntry entry)
    {
        entry = default;
        if (!AccessIdentifier.TryCreate(row.Identifier, out var identifier) || !RightsText.TryParse(Encoding.ASCII.GetBytes(row.Rights), out var rights)) return false;
        entry = new AccessEntry(identifier, rights);
        return true;
    }
}
