using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>Keeps the mailboxes that nobody has selected within their number of keywords (limits N11); a <see cref="SharedMailbox"/> looks after its own.
/// Remembers the keywords of those that messages with keywords were put into, because finding them means to load all messages.</summary>
/// <remarks>Used only by whoever has the user's turn.</remarks>
internal sealed class KeywordLimit(UserStore store)
{
    /// <summary>Different keywords in one mailbox.</summary>
    public const int PerMailbox = 256;

    private readonly Dictionary<long, HashSet<string>> _known = [];

    /// <summary>Counts keywords in that are about to be used in the mailbox.</summary>
    /// <returns><c>false</c> when there would be too many; then none was counted.</returns>
    public bool TryUse(long mailboxId, IReadOnlyCollection<string> keywords)
    {
        if (keywords.Count == 0) return true;
        if (!_known.TryGetValue(mailboxId, out var known))
        {
            known = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var message in store.LoadMessages(mailboxId)) known.UnionWith(message.Keywords);
            _known.Add(mailboxId, known);
        }
        var added = keywords.Where(keyword => !known.Contains(keyword)).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        if (known.Count + added.Length > PerMailbox) return false;
        known.UnionWith(added);
        return true;
    }

    /// <summary>The mailbox is selected now, or gone.</summary>
    public void Forget(long mailboxId) => _known.Remove(mailboxId);
}
