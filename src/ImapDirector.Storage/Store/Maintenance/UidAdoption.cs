namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Lets a mailbox that never had a message take over the UIDs it had on another server, so that clients need not load it anew.</summary>
internal static class UidAdoption
{
    /// <returns><c>false</c> when the mailbox has, or had, messages of its own: clients know it by them.</returns>
    public static bool TryBegin(StoreConnection store, long mailboxId, uint uidValidity)
    {
        if (store.Run("UPDATE mailboxes SET uid_validity = ?2 WHERE id = ?1 AND uid_next = 1 AND messages = 0", mailboxId, uidValidity) == 0) return false;
        store.Run("UPDATE counters SET value = max(value, ?1) WHERE name = 'uid_validity'", uidValidity);
        return true;
    }

    /// <summary>Makes a UID the next one, unless it is too late for that.</summary>
    public static bool Raise(StoreConnection store, long mailboxId, uint uidNext) =>
        store.Run("UPDATE mailboxes SET uid_next = ?2 WHERE id = ?1 AND uid_next < ?2", mailboxId, uidNext) > 0;
}
