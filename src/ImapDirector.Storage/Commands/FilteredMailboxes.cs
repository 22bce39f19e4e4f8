using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>The names that mailbox filters stand for. Whoever uses them still has to find out whether there is such a mailbox, and whether it may be read.</summary>
internal static class FilteredMailboxes
{
    /// <summary>Each name once, in the order of the filters. The selected mailbox is not among them for being selected.</summary>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public static async ValueTask<IReadOnlyList<MailboxName>> FindAsync(MailSession session, ImmutableArray<MailboxFilter> filters, CancellationToken deadline)
    {
        var own = new Lazy<List<MailboxName>>(() => Own(session));
        var names = new OrderedDictionary<MailboxName, bool>();
        foreach (var filter in filters)
        {
            switch (filter.Kind)
            {
                // A subaddress may name any of the user's mailboxes, so deliveries may come to each of them.
                case MailboxFilterKind.Inboxes or MailboxFilterKind.Personal:
                    Add(names, own.Value);
                    break;
                case MailboxFilterKind.Subscribed:
                    Add(names, session.Mail.Store.ListSubscriptions());
                    break;
                case MailboxFilterKind.Mailboxes:
                    Add(names, filter.Mailboxes);
                    break;
                case MailboxFilterKind.Subtree or MailboxFilterKind.SubtreeOne:
                    foreach (var root in filter.Mailboxes)
                    {
                        // Each root looks at every name, and one command may name thousands.
                        deadline.ThrowIfCancellationRequested();
                        Add(names, await SubtreeAsync(session, own.Value, root, filter.Kind == MailboxFilterKind.SubtreeOne));
                    }
                    break;
            }
        }
        return [.. names.Keys];
    }

    /// <summary>Whether a mailbox is the root or below it; with <paramref name="one"/> no more than one level.</summary>
    public static bool IsInSubtree(MailboxName root, bool one, MailboxName name)
    {
        if (name == root) return true;
        var length = root.Value.Length;
        return name.Value.Length > length && name.Value[length] == MailboxName.Delimiter && name.Value.StartsWith(root.Value, StringComparison.Ordinal)
            && !(one && name.Value.AsSpan(length + 1).Contains(MailboxName.Delimiter));
    }

    private static void Add(OrderedDictionary<MailboxName, bool> names, IEnumerable<MailboxName> more)
    {
        foreach (var name in more) names.TryAdd(name, true);
    }

    private static List<MailboxName> Own(MailSession session)
    {
        var (namespaces, user) = (session.Mailboxes.Namespaces, session.Mailboxes.User);
        return [.. session.Mail.Store.ListMailboxes().Select(static mailbox => mailbox.Name).Where(name => namespaces.Find(name, user).Owner == user)];
    }

    private static async ValueTask<List<MailboxName>> SubtreeAsync(MailSession session, List<MailboxName> own, MailboxName root, bool one)
    {
        var below = root.Value + MailboxName.Delimiter;
        var names = own.Where(name => IsInSubtree(root, one, name)).ToList();
        // Others' mailboxes are looked for only where the root leads to them.
        await session.Mailboxes.ReadSharedAsync(prefix => prefix.StartsWith(below, StringComparison.Ordinal) || below.StartsWith(prefix, StringComparison.Ordinal), [],
            (prefix, visible) =>
            {
                foreach (var (mailbox, _) in visible)
                    if (new MailboxName(prefix + mailbox.Name.Value) is var name && IsInSubtree(root, one, name)) names.Add(name);
            });
        return names;
    }
}
