using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Transfer;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>Opens users' stores, and keeps count of those that are damaged.</summary>
internal sealed class UserMailOpener(string dataDirectory, QuotaLimits quota, SharingIndex sharing, StorageMetrics metrics)
{
    private readonly MovedStores _moved = new(dataDirectory, TimeProvider.System);
    private readonly Lock _sync = new();
    private readonly HashSet<UserName> _damaged = [];

    /// <param name="user">The user.</param>
    /// <param name="epoch">The epoch of the user's assignment, where it is known.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreException">The store cannot be opened, or the user has moved away (<see cref="StoreException.IsFenced"/>).</exception>
    public async Task<UserMail> OpenAsync(UserName user, long? epoch, CancellationToken cancellationToken)
    {
        // Opening reads the disk; it must not run inside the lock of the caller.
        await Task.Yield();
        UserStore store;
        try
        {
            // A director that remembers the time before the user moved away must not have an empty store made. Nor must one that has a higher epoch out of a Redis which has
            // lost that move: the user's mail is elsewhere, and what came here would not be with it.
            if (!UserStorePath.Exists(dataDirectory, user) && _moved.EpochOf(user) is > 0 and var left && (!(epoch > left) || _moved.HoldsStoreOf(user))) throw StoreFence.Fenced();
            store = await UserStore.OpenAsync(dataDirectory, user, cancellationToken, quota);
            TellDamage(user, isDamaged: false);
        }
        catch (StoreException failed) when (failed.IsDamage)
        {
            TellDamage(user, isDamaged: true);
            throw;
        }
        try
        {
            await store.ServeAsync(epoch);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
        try
        {
            // Of a store that came from elsewhere, or from a backup, the index knows nothing.
            foreach (var identifier in store.Access.Given()) sharing.Add(identifier, user);
        }
        catch (StoreException)
        {
            // A full disk keeps nobody from reading; others see what is shared with them again when this succeeds.
        }
        return new UserMail(store, metrics, sharing);
    }

    private void TellDamage(UserName user, bool isDamaged)
    {
        lock (_sync)
        {
            if (isDamaged ? _damaged.Add(user) : _damaged.Remove(user)) metrics.DamagedStores.Set(_damaged.Count);
        }
    }
}
