using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A name that LIST or LSUB may answer with.</summary>
/// <param name="Name">The name.</param>
/// <param name="Mailbox">The mailbox, or <c>null</c> when there is none: a subscribed name, or the parent of one.</param>
/// <param name="Subscribed">Whether the name is subscribed.</param>
internal readonly record struct ListEntry(string Name, MailboxRecord? Mailbox, bool Subscribed);

/// <summary>All names of a user in order: mailboxes, subscribed names, and what lies between them and the root.</summary>
internal sealed class MailboxTree
{
    private readonly SortedDictionary<string, ListEntry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _withChildren = new(StringComparer.Ordinal);

    public MailboxTree(IReadOnlyList<MailboxRecord> mailboxes, IReadOnlyList<MailboxName> subscriptions)
    {
        foreach (var mailbox in mailboxes)
        {
            _entries[mailbox.Name.Value] = new ListEntry(mailbox.Name.Value, mailbox, Subscribed: false);
            _withChildren.UnionWith(Ancestors(mailbox.Name.Value));
        }
        foreach (var name in subscriptions)
        {
            var known = _entries.GetValueOrDefault(name.Value, new ListEntry(name.Value, null, false));
            _entries[name.Value] = known with { Subscribed = true };
        }
        foreach (var name in _entries.Keys.ToArray())
            foreach (var ancestor in Ancestors(name)) _entries.TryAdd(ancestor, new ListEntry(ancestor, null, false));
    }

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
