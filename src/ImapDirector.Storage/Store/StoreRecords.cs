using System.Collections.Immutable;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>A mailbox as stored.</summary>
internal sealed record MailboxRecord(long Id, MailboxName Name, uint UidValidity, uint UidNext, ulong HighestModSeq, string? SpecialUse,
    bool Selectable, bool Subscribed, uint Messages, uint Unseen, uint Deleted, ulong SizeBytes);

/// <summary>A message of a mailbox. Immutable: a change makes a new record.</summary>
internal sealed record MessageRecord(uint Uid, ulong ModSeq, SystemFlags Flags, ImmutableArray<string> Keywords, DateTimeOffset InternalDate, uint SizeBytes, long ContentId)
{
    /// <summary>When it came into this mailbox (RFC 8514), in seconds since 1970.</summary>
    public required long SavedSeconds { get; init; }

    /// <summary>When it came into this mailbox.</summary>
    public DateTimeOffset Saved => DateTimeOffset.FromUnixTimeSeconds(SavedSeconds);
}

/// <summary>A message about to be added.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="Flags">Its flags.</param>
/// <param name="InternalDate">Its date.</param>
internal sealed record NewMessage(MessageSpool Content, FlagList Flags, DateTimeOffset InternalDate)
{
    /// <summary>Within this time a message of the same id in the same mailbox makes this one a duplicate, which is not added; zero adds every one.</summary>
    public TimeSpan DuplicateWindow { get; init; }
}

/// <summary>What was really expunged.</summary>
/// <param name="Uids">Ascending.</param>
/// <param name="ModSeq">The mailbox's new mod-sequence; 0 when nothing was expunged.</param>
internal readonly record struct ExpungedMessages(IReadOnlyList<uint> Uids, ulong ModSeq);

/// <summary>What was added, and what went for it.</summary>
/// <param name="Messages">The new ones, in the order given.</param>
/// <param name="Replaced">What was expunged for them; its UIDs are <c>null</c> where nothing was to be.</param>
internal readonly record struct AddedMessages(IReadOnlyList<MessageRecord> Messages, ExpungedMessages Replaced);

/// <summary>What was really copied or moved.</summary>
/// <param name="Copies">Source UID and new record of each message, in source order.</param>
/// <param name="SourceModSeq">The source mailbox's new mod-sequence after a move; 0 otherwise.</param>
internal readonly record struct CopiedMessages(IReadOnlyList<(uint SourceUid, MessageRecord Copy)> Copies, ulong SourceModSeq);

/// <summary>The outcome of a change to the mailbox list.</summary>
internal enum StoreResult
{
    Done,
    AlreadyExists,
    NotFound,
    /// <summary>INBOX, a name over the limits, or one under itself.</summary>
    NotAllowed,
    /// <summary>The user has as many as there may be.</summary>
    TooMany,
}

/// <summary>What FETCH and SEARCH need of a message without opening its body, computed once at its arrival.</summary>
/// <param name="Envelope">The parenthesised ENVELOPE (RFC 3501 section 7.4.2), ready to send.</param>
/// <param name="Body">BODYSTRUCTURE without extension data.</param>
/// <param name="BodyStructure">BODYSTRUCTURE with extension data.</param>
/// <param name="Parts">Every MIME part, the root first.</param>
/// <param name="SentDate">The day of the Date header as written (RFC 3501: time and zone disregarded), or <c>null</c>.</param>
/// <param name="Texts">The fields that are searched most; <c>null</c> when they have to be read in the message.</param>
internal sealed record MessageSummary(byte[] Envelope, byte[] Body, byte[] BodyStructure, ImmutableArray<PartRecord> Parts, DateOnly? SentDate, HeaderTexts? Texts = null);

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

/// <summary>What was read of a message at once with others.</summary>
/// <param name="ContentId">Its content.</param>
/// <param name="Summary">What was computed of it, as it is stored; <c>null</c> where it is gone, or was not asked for.</param>
/// <param name="Content">Its bytes, or where they are; <c>null</c> where it is gone, or was not asked for.</param>
internal readonly record struct LoadedMessage(long ContentId, byte[]? Summary, StoredContent? Content);

/// <summary>The store is damaged or the disk refuses: the one operation fails, other users go on.</summary>
internal sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the store is damaged, so that it does not help to try again.</summary>
    public bool IsDamage { get; init; }

    /// <summary>Whether it is another's turn to serve the user.</summary>
    public bool IsFenced { get; init; }
}

/// <summary>The mailbox was deleted while the operation waited: answer NO [TRYCREATE] or BYE.</summary>
internal sealed class MailboxGoneException() : Exception("The mailbox no longer exists.");
