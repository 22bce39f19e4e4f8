using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>NOTIFY (RFC 5465).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="WithStatus">Whether STATUS of the mailboxes is to be told at once.</param>
/// <param name="Groups">What is to be told of which mailboxes, the first that matches being the one that counts; none for <c>NONE</c>.</param>
public sealed record NotifyCommand(string Tag, bool WithStatus, ImmutableArray<NotifyGroup> Groups) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "NOTIFY";
}

/// <summary>What is to be told of some mailboxes.</summary>
/// <param name="Filter">Which.</param>
/// <param name="Events">What; nothing for <c>NONE</c>.</param>
/// <param name="NewItems">What is told of each new message of the selected mailbox (RFC 5465 section 5.2).</param>
public sealed record NotifyGroup(MailboxFilter Filter, NotifyEvents Events, ImmutableArray<FetchItem> NewItems);

/// <summary>The events of RFC 5465 section 5.</summary>
[Flags]
public enum NotifyEvents
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary><c>MessageNew</c>.</summary>
    MessageNew = 1,
    /// <summary><c>MessageExpunge</c>.</summary>
    MessageExpunge = 2,
    /// <summary><c>FlagChange</c>.</summary>
    FlagChange = 4,
    /// <summary><c>MailboxName</c>: created, deleted, renamed.</summary>
    MailboxName = 8,
    /// <summary><c>SubscriptionChange</c>.</summary>
    SubscriptionChange = 16,
    /// <summary><c>MailboxMetadataChange</c>.</summary>
    MailboxMetadataChange = 32,
    /// <summary><c>ServerMetadataChange</c>.</summary>
    ServerMetadataChange = 64,
    /// <summary>An event that is not known here, such as <c>AnnotationChange</c>.</summary>
    Unknown = 128,
    /// <summary>Those of messages.</summary>
    Messages = MessageNew | MessageExpunge | FlagChange,
}
