using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A name that LIST or LSUB may answer with.</summary>
/// <param name="Name">The name.</param>
/// <param name="Mailbox">The mailbox, or <c>null</c> when there is none: a subscribed name, or the parent of one.</param>
/// <param name="Subscribed">Whether the name is subscribed.</param>
/// <param name="Rights">What the user may do with the mailbox.</param>
internal readonly record struct ListEntry(string Name, MailboxRecord? Mailbox, bool Subscribed, MailboxRights Rights);

/// <summary>All names that a user can see, in order: mailboxes, subscribed names, and what lies between them and the root.</summary>
internal sealed class MailboxTree
{
    private readonly SortedDictionary<string, ListEntry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _withChildren = new(StringComparer.Ordinal);
    private readonly HashSet<string> _levels = new(StringComparer.Ordinal);

    /// <param name="mailboxes">The user's own.</param>
    /// <param name="subscriptions">The names the user has subscribed to.</param>
    /// <param name="shared">What others share, under the names that the user has for it.</param>
    public MailboxTree(IReadOnlyList<MailboxRecord> mailboxes, IReadOnlyList<MailboxName> subscriptions, IReadOnlyList<(MailboxRecord Mailbox, MailboxRights Rights)> shared)
    {
        foreach (var mailbox in mailboxes)
        {
            _entries[mailbox.Name.Value] = new ListEntry(mailbox.Name.Value, mailbox, Subscribed: false, MailboxRights.All);
            _withChildren.UnionWith(Ancestors(mailbox.Name.Value));
        }
        foreach (var (mailbox, rights) in shared)
        {
            _entries[mailbox.Name.Value] = new ListEntry(mailbox.Name.Value, mailbox, Subscribed: false, rights);
            _levels.UnionWith(Ancestors(mailbox.Name.Value));
        }
        _withChildren.UnionWith(_levels);
        foreach (var name in subscriptions)
        {
            var known = _entries.GetValueOrDefault(name.Value, new ListEntry(name.Value, null, false, MailboxRights.None));
            _entries[name.Value] = known with { Subscribed = true };
        }
        foreach (var name in _entries.Keys.ToArray())
            foreach (var ancestor in Ancestors(name)) _entries.TryAdd(ancestor, new ListEntry(ancestor, null, false, MailboxRights.None));
    }

    /// <summary>Whether it is no mailbox, or none that the user may know of, and one that somebody shares is below it.</summary>
    public bool IsLevel(ListEntry entry) => entry.Mailbox is null && _levels.Contains(entry.Name);

    /// <summary>In the order of their names, parents before their children.</summary>
    public IEnumerable<ListEntry> Entries => _entries.Values;

    /// <summary>Whether there are mailboxes below the name.</summary>
    public bool HasChildren(string name) => _withChildren.Contains(name);

    /// <summary>The names that have at least one of these somewhere below them.</summary>
    public HashSet<string> ParentsOf(Func<ListEntry, bool> isWanted)
    {
        var parents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in _entries.Values)
            if (isWanted(entry)) parents.UnionWith(Ancestors(entry.Name));
        return parents;
    }

    private static IEnumerable<string> Ancestors(string name)
    {
        for (var end = name.LastIndexOf(MailboxName.Delimiter); end > 0; end = name.LastIndexOf(MailboxName.Delimiter, end - 1))
            yield return name[..end];
    }
}
