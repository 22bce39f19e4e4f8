using System.Security.Cryptography;

namespace ImapDirector.Storage.Store;

/// <summary>The keys that vouch for URLs of a user's mailboxes (RFC 4467 section 6), one for each mailbox that has had need of one. They stand among the
/// annotations, under a name that no client can write, and go with the mailbox.</summary>
internal sealed class UrlKeys(StoreDatabase database)
{
    private const string EntryName = "url-key";

    private const int KeyBytes = 32;

    /// <returns><c>null</c> when the mailbox has none.</returns>
    public byte[]? Find(long mailboxId) => database.Read(store => Find(store, mailboxId));

    /// <summary>The mailbox's key, made now if need be.</summary>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    public Task<byte[]> GetAsync(long mailboxId, CancellationToken cancellationToken) =>
        database.WriteAsync(store => Find(store, mailboxId) ?? Make(store, mailboxId), cancellationToken);

    /// <summary>Makes the mailbox's key anew: URLs made before are void.</summary>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    public Task ResetAsync(long mailboxId, CancellationToken cancellationToken) => database.WriteAsync(store => Make(store, mailboxId), cancellationToken);

    /// <summary>Forgets the keys of all mailboxes: URLs made before are void.</summary>
    public Task ResetAllAsync(CancellationToken cancellationToken) =>
        database.WriteAsync(static store => store.Run("DELETE FROM metadata WHERE name = ?1", EntryName), cancellationToken);

    private static byte[]? Find(StoreConnection store, long mailboxId) =>
        store.All("SELECT value FROM metadata WHERE mailbox_id = ?1 AND name = ?2", static row => row.GetFieldValue<byte[]>(0), mailboxId, EntryName).FirstOrDefault();

    private static byte[] Make(StoreConnection store, long mailboxId)
    {
        if (MailboxTable.Find(store, mailboxId) is null) throw new MailboxGoneException();
        var key = RandomNumberGenerator.GetBytes(KeyBytes);
        store.Run("INSERT OR REPLACE INTO metadata VALUES (?1, ?2, ?3)", mailboxId, EntryName, key);
        return key;
    }
}
