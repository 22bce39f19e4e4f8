using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>The access lists of one user's store. Every failure of the disk or the database is a <see cref="StoreException"/>.</summary>
internal sealed class UserAccess(StoreDatabase database)
{
    public AccessList Find(long mailboxId) => database.Read(store => AccessTable.Find(store, mailboxId));

    /// <summary>What a user who is not the owner may do with each mailbox; those without any right are left out.</summary>
    public Dictionary<long, MailboxRights> RightsOf(UserName user) => database.Read(store => AccessTable.RightsOf(store, user));

    /// <summary>The identifiers that something is given to, in any mailbox.</summary>
    public List<AccessIdentifier> Given() => database.Read(AccessTable.Given);

    /// <summary>Changes an entry of a mailbox.</summary>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="identifier">Whose entry.</param>
    /// <param name="change">Makes the new rights of those there are; none removes the entry.</param>
    /// <param name="cancellationToken">Ends the wait for the turn.</param>
    /// <returns>The new list.</returns>
    /// <exception cref="TooManyEntriesException">There would be too many entries.</exception>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    public Task<AccessList> ChangeAsync(long mailboxId, AccessIdentifier identifier, Func<MailboxRights, MailboxRights> change, CancellationToken cancellationToken) =>
        database.WriteAsync(store =>
        {
            if (MailboxTable.Find(store, mailboxId) is null) throw new MailboxGoneException();
            var before = AccessTable.Find(store, mailboxId).Entries.FirstOrDefault(entry => entry.Identifier == identifier).Rights;
            if (!AccessTable.TrySet(store, mailboxId, identifier, change(before))) throw new TooManyEntriesException();
            return AccessTable.Find(store, mailboxId);
        }, cancellationToken);
}
