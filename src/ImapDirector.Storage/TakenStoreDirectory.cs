using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage;

/// <summary>A data directory that no node can use meanwhile: what changes users' stores from outside.</summary>
public sealed class TakenStoreDirectory : IDisposable
{
    private readonly string _root;
    private readonly IDisposable _held;

    internal TakenStoreDirectory(string root, IDisposable held) => (_root, _held) = (root, held);

    /// <summary>Mends a user's store. What can be read is never removed.</summary>
    /// <param name="user">The user.</param>
    /// <param name="removeLost">Whether messages go of which the content is gone.</param>
    /// <param name="cancellationToken">Ends it before anything is changed.</param>
    /// <returns>What was found, each with whether it is mended.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<IReadOnlyList<StoreFinding>> RepairAsync(UserName user, bool removeLost, CancellationToken cancellationToken) =>
        StoreRepair.RunAsync(UserStorePath.Of(_root, user), removeLost, cancellationToken);

    /// <summary>Gives all mailboxes of a user a new UIDVALIDITY, so that clients forget what they know of them: after a restore, that can be messages which
    /// the store never heard of.</summary>
    /// <exception cref="IOException">The store cannot be read or written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task RenewUidValidityAsync(UserName user, CancellationToken cancellationToken)
    {
        try
        {
            await StoreRepair.RenewUidValidityAsync(UserStorePath.Of(_root, user), cancellationToken);
        }
        catch (StoreException failed)
        {
            throw new IOException(failed.Message, failed);
        }
    }

    /// <summary>Gives the room back that removed messages took. A store with findings is left as it is.</summary>
    /// <returns>The bytes that were freed, and the findings.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public (long FreedBytes, IReadOnlyList<StoreFinding> Findings) Vacuum(UserName user, CancellationToken cancellationToken) =>
        StoreVacuum.Run(UserStorePath.Of(_root, user), cancellationToken);

    /// <summary>Lets a node use it again.</summary>
    public void Dispose() => _held.Dispose();
}
