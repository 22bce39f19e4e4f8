using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>Names mailboxes by what they are (RFC 5465 section 6, RFC 7377 section 2.2).</summary>
/// <param name="Kind">What they are.</param>
/// <param name="Mailboxes">The names that belong to it; only with the kinds that take some, and then at least one.</param>
public sealed record MailboxFilter(MailboxFilterKind Kind, ImmutableArray<MailboxName> Mailboxes);

/// <summary>The kinds of <see cref="MailboxFilter"/>.</summary>
public enum MailboxFilterKind
{
    /// <summary><c>selected</c>.</summary>
    Selected,
    /// <summary><c>selected-delayed</c>: the selected one, expunges being told only where the base protocol lets them be; NOTIFY alone has it.</summary>
    SelectedDelayed,
    /// <summary><c>inboxes</c>: wherever deliveries may come to.</summary>
    Inboxes,
    /// <summary><c>personal</c>: the user's own.</summary>
    Personal,
    /// <summary><c>subscribed</c>.</summary>
    Subscribed,
    /// <summary><c>subtree</c>: the named, and all below them.</summary>
    Subtree,
    /// <summary><c>subtree-one</c>: the named, and one level below them.</summary>
    SubtreeOne,
    /// <summary><c>mailboxes</c>: the named.</summary>
    Mailboxes,
}
