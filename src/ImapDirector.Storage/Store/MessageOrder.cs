using System.Collections.Concurrent;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>The messages of a mailbox as SORT and THREAD see them, from keys that were computed at arrival.</summary>
internal sealed class MessageOrder(StoreDatabase database, MessageContents contents)
{
    private const int SortKeyBatch = 500;

    private readonly ConcurrentDictionary<long, bool> _withSortKeys = new();

    /// <summary>All UIDs of a mailbox in the order of the criteria, equal ones in order of arrival.</summary>
    public async Task<List<uint>> SortedAsync(long mailboxId, IReadOnlyList<SortCriterion> criteria, CancellationToken cancellationToken)
    {
        await AddMissingSortKeysAsync(mailboxId, cancellationToken);
        return database.Read(store => SortKeyTable.Sorted(store, mailboxId, criteria), cancellationToken);
    }

    /// <summary>What THREAD needs to know of messages of a mailbox, which are named by their UIDs, ascending.</summary>
    public async Task<ThreadItems> ThreadItemsAsync(long mailboxId, List<uint> wanted, bool withParents, CancellationToken cancellationToken)
    {
        await AddMissingSortKeysAsync(mailboxId, cancellationToken);
        return database.Read(store => SortKeyTable.ThreadItems(store, mailboxId, wanted, withParents), cancellationToken);
    }

    /// <summary>Messages that came with an older version of the store have no keys yet; once they have, they are not looked for again. One whose content is
    /// lost is left out: it cannot be shown either.</summary>
    private async Task AddMissingSortKeysAsync(long mailboxId, CancellationToken cancellationToken)
    {
        if (_withSortKeys.ContainsKey(mailboxId)) return;
        foreach (var batch in database.Read(store => SortKeyTable.Missing(store, mailboxId), cancellationToken).Chunk(SortKeyBatch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var keys = batch.Select(id => (Id: id, Keys: contents.FindSortKeys(id))).Where(static found => found.Keys is not null).ToList();
            await database.WriteAsync(store =>
            {
                foreach (var (id, one) in keys) SortKeyTable.Add(store, id, one!);
                return true;
            }, cancellationToken);
        }
        _withSortKeys[mailboxId] = true;
    }
}
