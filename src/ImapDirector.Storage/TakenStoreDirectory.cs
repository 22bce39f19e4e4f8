using ImapDirector.Protocol;
using ImapDirector.Storage.Exchange;
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
    /// <param name="progress">Hears of the number of messages read.</param>
    /// <param name="cancellationToken">Ends it before anything is changed.</param>
    /// <returns>What was found, each with whether it is mended.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<IReadOnlyList<StoreFinding>> RepairAsync(UserName user, bool removeLost, IProgress<int>? progress, CancellationToken cancellationToken) =>
        StoreRepair.RunAsync(UserStorePath.Of(_root, user), removeLost, progress, cancellationToken);

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
    /// <param name="user">The user.</param>
    /// <param name="progress">Hears of the number of messages read.</param>
    /// <param name="cancellationToken">Ends it before anything is changed.</param>
    /// <returns>The bytes that were freed, and the findings.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public (long FreedBytes, IReadOnlyList<StoreFinding> Findings) Vacuum(UserName user, IProgress<int>? progress, CancellationToken cancellationToken) =>
        StoreVacuum.Run(UserStorePath.Of(_root, user), progress, cancellationToken);

    /// <summary>Adds mail to a user's store, which is made when there is none. A second run adds everything a second time.</summary>
    /// <param name="user">The user.</param>
    /// <param name="source">A Maildir++, or a directory with <c>.mbox</c> files.</param>
    /// <param name="format">Which of the two.</param>
    /// <param name="keepUids">Whether mailboxes that never had a message take over the UIDs of a Maildir's <c>dovecot-uidlist</c>.</param>
    /// <param name="progress">Hears of the number of messages added.</param>
    /// <param name="cancellationToken">Ends it; what was added until then stays.</param>
    /// <exception cref="InvalidDataException">The source is nothing of that format.</exception>
    /// <exception cref="IOException">The source cannot be read, or the store cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The source belongs to somebody else.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<ExchangeResult> ImportAsync(UserName user, string source, MailFormat format, bool keepUids, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        // A link here is the caller's own word.
        var directory = new DirectoryInfo(Path.GetFullPath(source));
        var path = directory.Exists ? (directory.ResolveLinkTarget(returnFinalTarget: true) ?? directory).FullName : "";
        if (path.Length == 0 || !(format == MailFormat.Maildir ? MaildirImport.IsMaildir(path) : MboxImport.Files(path).Any()))
            throw new InvalidDataException(format == MailFormat.Maildir ? $"\"{source}\" is no Maildir: it has neither cur nor new in it." : $"\"{source}\" has no file in it that ends in .mbox.");
        try
        {
            var spool = Path.Combine(_root, "spool");
            UserStorePath.Make(spool);
            await using var store = await UserStore.OpenAsync(_root, user, cancellationToken);
            var target = new ImportTarget(store, spool, progress);
            if (format == MailFormat.Maildir) await new MaildirImport(path, keepUids).RunAsync(target, cancellationToken);
            else await new MboxImport(path).RunAsync(target, cancellationToken);
            return target.Result;
        }
        catch (StoreException failed)
        {
            throw new IOException(failed.Message, failed);
        }
    }

    /// <summary>Lets a node use it again.</summary>
    public void Dispose() => _held.Dispose();
}
