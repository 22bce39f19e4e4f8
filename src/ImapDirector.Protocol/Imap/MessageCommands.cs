using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>EXPUNGE, or UID EXPUNGE (RFC 4315) when <paramref name="Uids"/> is given.</summary>
public sealed record ExpungeCommand(string Tag, SequenceSet? Uids) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => Uids is null ? "EXPUNGE" : "UID EXPUNGE";
}

/// <summary>SEARCH or UID SEARCH.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="ByUid">Whether answers are UIDs.</param>
/// <param name="Charset">The charset given in upper case, or <c>null</c> for US-ASCII/UTF-8. Strings in the key are decoded
/// with it; an unknown one makes the parser answer <see cref="ParseErrorKind.BadCharset"/>.</param>
/// <param name="Key">The criteria; several keys are one <see cref="AndKey"/>.</param>
public sealed record SearchCommand(string Tag, bool ByUid, string? Charset, SearchKey Key) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => ByUid ? "UID SEARCH" : "SEARCH";

    /// <summary>What the answer is to say (RFC 4731), or <c>null</c> for a plain list.</summary>
    public SearchReturn? Return { get; init; }
}

/// <summary>ESEARCH (RFC 7377): a search of several mailboxes, answered with UIDs.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="In">Which mailboxes; none for the selected one.</param>
/// <param name="Search">What is searched for in each of them.</param>
public sealed record MultiSearchCommand(string Tag, ImmutableArray<MailboxFilter> In, SearchCommand Search) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "ESEARCH";
}

/// <summary>CANCELUPDATE (RFC 5267 section 4.3.5).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Tags">Those of the commands whose results are not to be kept up to date any more; at least one.</param>
public sealed record CancelUpdateCommand(string Tag, ImmutableArray<string> Tags) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "CANCELUPDATE";
}

/// <summary>UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Size">Messages of a batch.</param>
/// <param name="Batches">Which batches, 1 being that of the highest UIDs; <c>null</c> for all of them.</param>
public sealed record UidBatchesCommand(string Tag, uint Size, SequenceRange? Batches) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "UIDBATCHES";
}

/// <summary>SORT or UID SORT (RFC 5256). Its strings are UTF-8, whichever of the two charsets was named.</summary>
public sealed record SortCommand(string Tag, bool ByUid, ImmutableArray<SortCriterion> Criteria, SearchKey Key) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => ByUid ? "UID SORT" : "SORT";

    /// <summary>What the answer is to say (RFC 5267 section 3.1), or <c>null</c> for a plain list.</summary>
    public SearchReturn? Return { get; init; }
}

/// <summary>One of the criteria of SORT, the first being the one that counts most.</summary>
public readonly record struct SortCriterion(SortKey Key, bool Reverse);

/// <summary>What messages are sorted by (RFC 5256 section 3, RFC 5957 section 3).</summary>
public enum SortKey
{
    /// <summary><c>ARRIVAL</c>: INTERNALDATE with its time.</summary>
    Arrival,
    /// <summary><c>CC</c>: the local part of the first Cc address.</summary>
    Cc,
    /// <summary><c>DATE</c>: the Date field with its time.</summary>
    Date,
    /// <summary><c>FROM</c>: the local part of the first From address.</summary>
    From,
    /// <summary><c>SIZE</c>.</summary>
    Size,
    /// <summary><c>SUBJECT</c>: the base subject (RFC 5256 section 2.1).</summary>
    Subject,
    /// <summary><c>TO</c>: the local part of the first To address.</summary>
    To,
    /// <summary><c>DISPLAYFROM</c>: the name of the first From address.</summary>
    DisplayFrom,
    /// <summary><c>DISPLAYTO</c>: the name of the first To address.</summary>
    DisplayTo,
    /// <summary>How well it matches, best first (RFC 6203 section 6).</summary>
    Relevancy,
}

/// <summary>THREAD or UID THREAD (RFC 5256).</summary>
public sealed record ThreadCommand(string Tag, bool ByUid, ThreadAlgorithm Algorithm, SearchKey Key) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => ByUid ? "UID THREAD" : "THREAD";
}

/// <summary>How THREAD finds out what belongs together.</summary>
public enum ThreadAlgorithm
{
    /// <summary><c>REFERENCES</c>: by References, In-Reply-To and, at last, the subject.</summary>
    References,
    /// <summary><c>REFS</c>: as REFERENCES but for the subject; threads in the order of their newest message.</summary>
    Refs,
    /// <summary><c>ORDEREDSUBJECT</c>: by the subject alone.</summary>
    OrderedSubject,
}

/// <summary>FETCH or UID FETCH; macros are already expanded.</summary>
public sealed record FetchCommand(string Tag, bool ByUid, SequenceSet Messages, ImmutableArray<FetchItem> Items) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => ByUid ? "UID FETCH" : "FETCH";

    /// <summary>Only messages changed after this mod-sequence, <c>null</c> for all (RFC 7162 section 3.1.4.1).</summary>
    public ulong? ChangedSince { get; init; }

    /// <summary>Only this window of the messages named, <c>null</c> for all (RFC 9394 section 3.3).</summary>
    public PartialWindow? Partial { get; init; }

    /// <summary>Whether those expunged since then are asked for as well (RFC 7162 section 3.2.6).</summary>
    public bool Vanished { get; init; }
}

/// <summary>STORE or UID STORE.</summary>
public sealed record StoreCommand(string Tag, bool ByUid, SequenceSet Messages, StoreOperation Operation, bool Silent, FlagList Flags)
    : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => ByUid ? "UID STORE" : "STORE";

    /// <summary>Messages changed after this mod-sequence are left alone, <c>null</c> for none (RFC 7162 section 3.1.3).</summary>
    public ulong? UnchangedSince { get; init; }
}

/// <summary>What STORE does with the flags it is given.</summary>
public enum StoreOperation
{
    /// <summary><c>FLAGS</c>.</summary>
    Replace,
    /// <summary><c>+FLAGS</c>.</summary>
    Add,
    /// <summary><c>-FLAGS</c>.</summary>
    Remove,
}

/// <summary>COPY, UID COPY, MOVE or UID MOVE (RFC 6851).</summary>
public sealed record CopyCommand(string Tag, bool ByUid, SequenceSet Messages, MailboxName Mailbox, bool Move) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => (ByUid, Move) switch
    {
        (false, false) => "COPY",
        (true, false) => "UID COPY",
        (false, true) => "MOVE",
        (true, true) => "UID MOVE",
    };
}
