using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;

namespace ImapDirector.Storage.Sessions;

/// <summary>Which events of NOTIFY are told of which mailbox: those of the first group that has it (RFC 5465 section 6).</summary>
/// <param name="session">The session.</param>
/// <param name="groups">The groups, in the client's order.</param>
internal sealed class MailboxEvents(MailSession session, ImmutableArray<NotifyGroup> groups)
{
    private readonly Lazy<HashSet<MailboxName>> _subscribed = new(() => [.. session.Mail.Store.ListSubscriptions()]);

    /// <summary>Whether changes of the account's own annotations are told.</summary>
    public bool OfAccount => groups.Any(static group => (group.Events & NotifyEvents.ServerMetadataChange) != 0);

    public NotifyEvents Of(MailboxName name)
    {
        foreach (var group in groups)
            if (Has(group.Filter, name)) return group.Events;
        return NotifyEvents.None;
    }

    private bool Has(MailboxFilter filter, MailboxName name) => filter.Kind switch
    {
        // A subaddress may name any of the user's mailboxes, so deliveries may come to each of them.
        MailboxFilterKind.Inboxes or MailboxFilterKind.Personal => session.Mailboxes.Namespaces.Find(name, session.Mailboxes.User).Owner == session.Mailboxes.User,
        MailboxFilterKind.Subscribed => _subscribed.Value.Contains(name),
        MailboxFilterKind.Mailboxes => filter.Mailboxes.Contains(name),
        MailboxFilterKind.Subtree or MailboxFilterKind.SubtreeOne =>
            filter.Mailboxes.Any(root => FilteredMailboxes.IsInSubtree(root, filter.Kind == MailboxFilterKind.SubtreeOne, name)),
        _ => false,
    };
}
