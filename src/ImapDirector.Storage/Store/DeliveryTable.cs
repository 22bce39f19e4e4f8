namespace ImapDirector.Storage.Store;

/// <summary>The message ids that were delivered lately, for nodes that drop duplicates.</summary>
internal static class DeliveryTable
{
    /// <summary>Notes a delivery.</summary>
    /// <returns><c>false</c> when the same was delivered to the same mailbox within the window.</returns>
    public static bool TryAdd(StoreConnection store, byte[] messageId, long mailboxId, long now, long windowSeconds)
    {
        store.Run("DELETE FROM deliveries WHERE seconds <= ?1", now - windowSeconds);
        return store.Run("INSERT OR IGNORE INTO deliveries VALUES (?1, ?2, ?3)", messageId, mailboxId, now) > 0;
    }
}
