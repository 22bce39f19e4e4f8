using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>The users whose stores are open, each once in this process, so that all sessions and deliveries of a user share one view of each mailbox.</summary>
internal sealed class UserMailRegistry : IAsyncDisposable
{
    public UserMailRegistry(string dataDirectory, StorageMetrics metrics) => throw new NotImplementedException();

    /// <summary>Opens the user's mail, or joins those who have it open. Dispose the lease when done; the store is closed some time after the last one.</summary>
    /// <exception cref="StoreException">The store cannot be opened.</exception>
    public ValueTask<UserMailLease> AcquireAsync(UserName user, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Closes all stores.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>One holder's claim on a <see cref="UserMail"/>.</summary>
internal sealed class UserMailLease : IAsyncDisposable
{
    public UserMail Mail => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>A user's open mail: the store, and the shared in-memory view of every mailbox that a session has selected. Changes go through here, so
/// that every session sees them at once.</summary>
internal sealed class UserMail
{
    public UserStore Store => throw new NotImplementedException();

    /// <summary>Adds a message and tells every session that has the mailbox selected.</summary>
    /// <returns>The record and the mailbox's UIDVALIDITY, or <c>null</c> when there is no such mailbox.</returns>
    public Task<(MessageRecord Message, uint UidValidity)?> AppendAsync(MailboxName mailbox, MessageSpool message, FlagList flags, DateTimeOffset internalDate, CancellationToken cancellationToken) => throw new NotImplementedException();
}
