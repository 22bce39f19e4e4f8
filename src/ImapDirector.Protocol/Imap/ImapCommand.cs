using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>A parsed client command (RFC 3501 section 6, RFC 9051 section 6): its tag and its arguments.</summary>
/// <param name="Tag">The client's tag, echoed in the tagged response.</param>
public abstract record ImapCommand(string Tag)
{
    /// <summary>The command's name in upper case as metrics and logs show it, such as <c>FETCH</c> or <c>UID FETCH</c>.</summary>
    public abstract string Name { get; }
}

/// <summary>CAPABILITY.</summary>
public sealed record CapabilityCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "CAPABILITY";
}

/// <summary>NOOP.</summary>
public sealed record NoopCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "NOOP";
}

/// <summary>LOGOUT.</summary>
public sealed record LogoutCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "LOGOUT";
}

/// <summary>STARTTLS.</summary>
public sealed record StartTlsCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "STARTTLS";
}

/// <summary>LOGIN. The bytes are as sent: the caller decides what text they may be.</summary>
public sealed record LoginCommand(string Tag, byte[] User, byte[] Password) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => "LOGIN";

    /// <summary>Never prints the password.</summary>
    public override string ToString() => $"LoginCommand {{ Tag = {Tag} }}";
}

/// <summary>AUTHENTICATE, with the initial response of SASL-IR (RFC 4959) still in base64, <c>null</c> without one, <c>=</c> when empty.</summary>
public sealed record AuthenticateCommand(string Tag, string Mechanism, byte[]? InitialResponse) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => "AUTHENTICATE";

    /// <summary>Never prints the response.</summary>
    public override string ToString() => $"AuthenticateCommand {{ Tag = {Tag}, Mechanism = {Mechanism} }}";
}

/// <summary>ID (RFC 2971). An empty array stands for <c>NIL</c>; a value may be <c>null</c>.</summary>
public sealed record IdCommand(string Tag, ImmutableArray<KeyValuePair<string, string?>> Fields) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "ID";
}

/// <summary>ENABLE (RFC 5161), names in upper case.</summary>
public sealed record EnableCommand(string Tag, ImmutableArray<string> Capabilities) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "ENABLE";
}

/// <summary>SELECT or EXAMINE.</summary>
public sealed record SelectCommand(string Tag, MailboxName Mailbox, bool ReadOnly) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => ReadOnly ? "EXAMINE" : "SELECT";

    /// <summary>Whether <c>(CONDSTORE)</c> was given (RFC 7162 section 3.1.8).</summary>
    public bool CondStore { get; init; }

    /// <summary>What <c>(QRESYNC (…))</c> gave, or <c>null</c>.</summary>
    public QResyncState? QResync { get; init; }
}

/// <summary>What a client remembers of a mailbox (RFC 7162 section 3.2.5). Of its optional match of message numbers with UIDs
/// only is kept that it was given: it helps servers that forget what was expunged.</summary>
/// <param name="UidValidity">The UIDVALIDITY it knows.</param>
/// <param name="ModSeq">The mod-sequence up to which it knows everything.</param>
/// <param name="KnownUids">The UIDs it knows, or <c>null</c> for all.</param>
public sealed record QResyncState(uint UidValidity, ulong ModSeq, SequenceSet? KnownUids)
{
    /// <summary>Whether message numbers were matched with UIDs.</summary>
    public bool MatchesNumbers { get; init; }
}

/// <summary>CREATE, with the <c>USE</c> attributes of RFC 6154 (such as <c>\Sent</c>).</summary>
public sealed record CreateCommand(string Tag, MailboxName Mailbox, ImmutableArray<string> SpecialUse) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "CREATE";
}

/// <summary>DELETE.</summary>
public sealed record DeleteCommand(string Tag, MailboxName Mailbox) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "DELETE";
}

/// <summary>RENAME.</summary>
public sealed record RenameCommand(string Tag, MailboxName From, MailboxName To) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "RENAME";
}

/// <summary>SUBSCRIBE or UNSUBSCRIBE.</summary>
public sealed record SubscribeCommand(string Tag, MailboxName Mailbox, bool Subscribe) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => Subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE";
}

/// <summary>LIST, plain or extended (RFC 5258, RFC 6154, RFC 5819).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Reference">The reference name, decoded.</param>
/// <param name="Patterns">One pattern or more, decoded; <c>*</c> and <c>%</c> are wild cards. <c>INBOX</c> is as the client spelled it:
/// whoever matches compares a first level with it without case.</param>
/// <param name="Select">Selection options.</param>
/// <param name="Return">Return options.</param>
/// <param name="StatusItems">The items of <c>RETURN (STATUS (…))</c>.</param>
/// <param name="Extended">Whether the extended syntax was used (several patterns, or options).</param>
public sealed record ListCommand(string Tag, string Reference, ImmutableArray<string> Patterns, ListSelect Select,
    ListReturn Return, ImmutableArray<StatusItem> StatusItems, bool Extended) : ImapCommand(Tag)
{
    /// <inheritdoc />
    public override string Name => "LIST";

    /// <summary>The entries of <c>RETURN (METADATA (…))</c>.</summary>
    public ImmutableArray<string> MetadataEntries { get; init; } = [];
}

/// <summary>LSUB.</summary>
public sealed record LsubCommand(string Tag, string Reference, string Pattern) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "LSUB";
}

/// <summary>Selection options of LIST (RFC 5258 section 3.1).</summary>
[Flags]
public enum ListSelect
{
    /// <summary>None given.</summary>
    None = 0,
    /// <summary><c>SUBSCRIBED</c>.</summary>
    Subscribed = 1,
    /// <summary><c>REMOTE</c>.</summary>
    Remote = 2,
    /// <summary><c>RECURSIVEMATCH</c>.</summary>
    RecursiveMatch = 4,
    /// <summary><c>SPECIAL-USE</c>.</summary>
    SpecialUse = 8,
}

/// <summary>Return options of LIST (RFC 5258 section 3.2, RFC 5819, RFC 6154, RFC 8440).</summary>
[Flags]
public enum ListReturn
{
    /// <summary>None given.</summary>
    None = 0,
    /// <summary><c>SUBSCRIBED</c>.</summary>
    Subscribed = 1,
    /// <summary><c>CHILDREN</c>.</summary>
    Children = 2,
    /// <summary><c>SPECIAL-USE</c>.</summary>
    SpecialUse = 4,
    /// <summary><c>STATUS (…)</c>.</summary>
    Status = 8,
    /// <summary><c>METADATA (…)</c> (RFC 9590).</summary>
    Metadata = 16,
    /// <summary><c>MYRIGHTS</c> (RFC 8440).</summary>
    MyRights = 32,
}

/// <summary>STATUS.</summary>
public sealed record StatusCommand(string Tag, MailboxName Mailbox, ImmutableArray<StatusItem> Items) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "STATUS";
}

/// <summary>A STATUS data item (RFC 3501 section 6.3.10, RFC 9051 section 6.3.11).</summary>
public enum StatusItem
{
    /// <summary><c>MESSAGES</c>.</summary>
    Messages,
    /// <summary><c>RECENT</c>.</summary>
    Recent,
    /// <summary><c>UIDNEXT</c>.</summary>
    UidNext,
    /// <summary><c>UIDVALIDITY</c>.</summary>
    UidValidity,
    /// <summary><c>UNSEEN</c>.</summary>
    Unseen,
    /// <summary><c>DELETED</c>.</summary>
    Deleted,
    /// <summary><c>SIZE</c>, in bytes (RFC 8438).</summary>
    Size,
    /// <summary><c>HIGHESTMODSEQ</c> (RFC 7162 section 3.1.7).</summary>
    HighestModSeq,
    /// <summary><c>MAILBOXID</c> (RFC 8474 section 4.3).</summary>
    MailboxId,
    /// <summary><c>APPENDLIMIT</c> (RFC 7889 section 4).</summary>
    AppendLimit,
    /// <summary><c>DELETED-STORAGE</c>, in units of 1024 bytes (RFC 9208 section 4.1.4).</summary>
    DeletedStorage,
}

/// <summary>APPEND up to its first literal behind the mailbox, whose bytes the session reads through the <see cref="ImapCommandReader"/>.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Mailbox">Where to.</param>
/// <param name="First">What is to be added, up to that literal.</param>
public sealed record AppendCommand(string Tag, MailboxName Mailbox, AppendStretch First) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "APPEND";
}

/// <summary>REPLACE or UID REPLACE (RFC 8508), as far as <see cref="AppendCommand"/>.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="ByUid">Whether <paramref name="Replaced"/> is a UID.</param>
/// <param name="Replaced">The message that goes; one number, or <c>*</c>.</param>
/// <param name="Mailbox">Where the new one comes to.</param>
/// <param name="First">The new one, up to its first literal.</param>
public sealed record ReplaceCommand(string Tag, bool ByUid, SequenceSet Replaced, MailboxName Mailbox, AppendStretch First) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => ByUid ? "UID REPLACE" : "REPLACE";
}

/// <summary>The announcement of a literal: <c>{Length}</c>, <c>{Length+}</c> (RFC 7888), <c>~{Length}</c> (RFC 3516).</summary>
/// <param name="Length">Bytes that follow.</param>
/// <param name="Synchronizing">Whether the client waits for <c>+</c> before it sends them.</param>
/// <param name="Binary">Whether it is a literal8.</param>
public readonly record struct LiteralHeader(long Length, bool Synchronizing, bool Binary);

/// <summary>CHECK.</summary>
public sealed record CheckCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "CHECK";
}

/// <summary>CLOSE (expunges) or UNSELECT (RFC 3691, does not).</summary>
public sealed record CloseCommand(string Tag, bool Expunge) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => Expunge ? "CLOSE" : "UNSELECT";
}

/// <summary>IDLE (RFC 2177).</summary>
public sealed record IdleCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "IDLE";
}

/// <summary>NAMESPACE (RFC 2342).</summary>
public sealed record NamespaceCommand(string Tag) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "NAMESPACE";
}
