using System.Collections.Immutable;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>One user's mail on disk: one SQLite database (WAL, synchronous=FULL) and, for large bodies, files beside it.
/// Nothing returns before it is on disk.</summary>
/// <remarks>Reads may run in parallel; writes are serialised inside. All methods that change a mailbox return the new mod-sequence, and UIDs
/// and mod-sequences grow strictly, also over restarts.</remarks>
internal sealed class UserStore : IAsyncDisposable
{
    /// <summary>Opens the user's store, making it with INBOX, Drafts, Sent, Junk, Trash and Archive (with their special uses, subscribed) where there is none.</summary>
    /// <exception cref="StoreException">The database is damaged or the disk refuses.</exception>
    public static Task<UserStore> OpenAsync(string dataDirectory, UserName user, CancellationToken cancellationToken) => throw new NotImplementedException();

    public UserName User => throw new NotImplementedException();

    /// <summary>All mailboxes with their counters, in name order, \NonExistent and \Noselect ones included.</summary>
    public IReadOnlyList<MailboxRecord> ListMailboxes() => throw new NotImplementedException();

    public MailboxRecord? FindMailbox(MailboxName name) => throw new NotImplementedException();

    /// <summary>Makes a mailbox, and its missing parents as plain mailboxes. A name that is free gets a UIDVALIDITY never used for it before.</summary>
    public Task<StoreResult> CreateMailboxAsync(MailboxName name, string? specialUse, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Deletes a mailbox and its messages. One with children stays as \Noselect; INBOX is refused.</summary>
    public Task<StoreResult> DeleteMailboxAsync(MailboxName name, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Renames a mailbox with its children. INBOX keeps existing: its messages move to the new mailbox (RFC 3501 section 6.3.5).</summary>
    public Task<StoreResult> RenameMailboxAsync(MailboxName from, MailboxName to, CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task SetSubscribedAsync(MailboxName name, bool subscribed, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Subscribed names in order; a mailbox of that name need not exist.</summary>
    public IReadOnlyList<MailboxName> ListSubscriptions() => throw new NotImplementedException();

    /// <summary>All messages of a mailbox in UID order.</summary>
    public IReadOnlyList<MessageRecord> LoadMessages(long mailboxId) => throw new NotImplementedException();

    /// <summary>Hands the \Recent messages to the caller: returns the lowest UID that no read-write session has been told of, and
    /// (when <paramref name="claim"/>) makes UIDNEXT the lowest from now on.</summary>
    public Task<uint> FirstRecentUidAsync(long mailboxId, bool claim, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Adds a message. Its envelope, body structure, part offsets and search keys are computed here, once.</summary>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    public Task<MessageRecord> AppendAsync(long mailboxId, MessageSpool message, FlagList flags, DateTimeOffset internalDate, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Changes flags of the given UIDs (those that do not exist any more are left out) in one transaction.</summary>
    /// <returns>The records of all given messages that exist, as they are now; those really changed carry the new mod-sequence.</returns>
    public Task<IReadOnlyList<MessageRecord>> StoreFlagsAsync(long mailboxId, IReadOnlyList<uint> uids, StoreOperation operation, FlagList flags, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Removes the given UIDs; with <paramref name="onlyDeleted"/> only those that carry \Deleted.</summary>
    /// <returns>The UIDs really removed, ascending.</returns>
    public Task<IReadOnlyList<uint>> ExpungeAsync(long mailboxId, IReadOnlyList<uint> uids, bool onlyDeleted, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Copies messages (flags and dates kept, bodies shared) in one transaction; with <paramref name="move"/> the originals are removed in it.</summary>
    /// <returns>Source UID and new record of each message copied, in source order.</returns>
    /// <exception cref="MailboxGoneException">The target was deleted meanwhile.</exception>
    public Task<IReadOnlyList<(uint SourceUid, MessageRecord Copy)>> CopyAsync(long fromMailboxId, IReadOnlyList<uint> uids, long toMailboxId, bool move, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What was computed at arrival: ENVELOPE, BODY and BODYSTRUCTURE texts ready to send, the part table, and headers for search.</summary>
    public MessageSummary LoadSummary(long contentId) => throw new NotImplementedException();

    /// <summary>Opens a message's bytes; seekable.</summary>
    public Stream OpenContent(long contentId) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>A mailbox as stored.</summary>
internal sealed record MailboxRecord(long Id, MailboxName Name, uint UidValidity, uint UidNext, ulong HighestModSeq, string? SpecialUse,
    bool Selectable, bool Subscribed, uint Messages, uint Unseen, uint Deleted, uint Recent, ulong SizeBytes);

/// <summary>A message of a mailbox. Immutable: a change makes a new record.</summary>
internal sealed record MessageRecord(uint Uid, ulong ModSeq, SystemFlags Flags, ImmutableArray<string> Keywords, DateTimeOffset InternalDate, uint SizeBytes, long ContentId);

/// <summary>The outcome of a change to the mailbox list.</summary>
internal enum StoreResult
{
    Done,
    AlreadyExists,
    NotFound,
    /// <summary>INBOX, a name over the limits, or one under itself.</summary>
    NotAllowed,
}

/// <summary>What FETCH and SEARCH need of a message without opening its body.</summary>
/// <param name="Envelope">The parenthesised ENVELOPE (RFC 3501 section 7.4.2), ready to send.</param>
/// <param name="Body">BODYSTRUCTURE without extension data.</param>
/// <param name="BodyStructure">BODYSTRUCTURE with extension data.</param>
/// <param name="Parts">Every MIME part, the root first.</param>
/// <param name="SentDate">The day of the Date header as written (RFC 3501: time and zone disregarded), or <c>null</c>.</param>
internal sealed record MessageSummary(byte[] Envelope, byte[] Body, byte[] BodyStructure, ImmutableArray<PartRecord> Parts, DateOnly? SentDate);

/// <summary>Where a MIME part lies in the message, in bytes from its start.</summary>
/// <param name="Path">Its IMAP part number, such as <c>2.1</c>; empty for the root; an embedded message's own root is <c>2.0</c>-free: the message/rfc822 part
/// <c>2</c> has <c>HeaderStart…</c> of its MIME header, and the embedded message follows as a PartRecord of the same path with <paramref name="IsMessage"/> true.</param>
/// <param name="IsMessage">Whether HEADER and TEXT apply: the root, or the message inside a message/rfc822 part.</param>
/// <param name="HeaderStart">First byte of its header.</param>
/// <param name="BodyStart">First byte behind the header's empty line.</param>
/// <param name="End">Behind its last byte.</param>
/// <param name="ContentType">Lower case, such as <c>text/plain</c>.</param>
/// <param name="Charset">Of a text part, or <c>null</c>.</param>
/// <param name="Encoding">The transfer encoding in lower case, or <c>7bit</c>.</param>
internal sealed record PartRecord(string Path, bool IsMessage, int HeaderStart, int BodyStart, int End, string ContentType, string? Charset, string Encoding);

/// <summary>The store is damaged or the disk refuses: the one operation fails, other users go on.</summary>
internal sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The mailbox was deleted while the operation waited: answer NO [TRYCREATE] or BYE.</summary>
internal sealed class MailboxGoneException() : Exception("The mailbox no longer exists.");
