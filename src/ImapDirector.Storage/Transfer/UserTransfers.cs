using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Transfer;

/// <summary>What directors order of a node to move a user: docs/decisions/0014-moving-users.md has the whole way. Each order may be given again, and does then
/// what is left to do. An epoch says which order is the newest; an older one is refused.</summary>
public sealed partial class UserTransfers : IAsyncDisposable
{
    /// <summary>The most users that <see cref="ListHeld"/> tells at once.</summary>
    public const int MaxListed = 1000;

    // A director waits 25 s for a page.
    private static readonly TimeSpan ListLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);

    private readonly string _dataDirectory;
    private readonly UserMailRegistry _mails;
    private readonly MovedStores _moved;
    private readonly OutgoingTransfers _outgoing;
    private readonly IncomingTransfers _incoming;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sweeping;

    internal UserTransfers(string dataDirectory, UserMailRegistry mails, MovedStores moved, TimeSpan retention, TimeProvider clock, ILogger logger)
    {
        (_dataDirectory, _mails, _moved, _logger) = (dataDirectory, mails, moved, logger);
        _outgoing = new OutgoingTransfers(dataDirectory, clock);
        _incoming = new IncomingTransfers(dataDirectory, InstallAsync, logger);
        _sweeping = SweepAsync(retention, clock);
    }

    /// <summary>The users whose stores are here, a page at a time, in an order of the node's own. A page ends after some seconds; only one without anybody is the last.</summary>
    /// <param name="after">The last of the page before, or <c>null</c>.</param>
    /// <param name="limit">1 to <see cref="MaxListed"/>.</param>
    /// <exception cref="IOException">The data directory cannot be read.</exception>
    public IReadOnlyList<HeldUser> ListHeld(UserName? after, int limit) => HeldUser.List(_dataDirectory, after, Math.Clamp(limit, 1, MaxListed), ListLimit);

    /// <summary>Lets nobody write to the user's store any more until somebody comes with a higher epoch; sessions are ended.</summary>
    /// <returns><see cref="TransferAnswer.NotHeld"/> for one who has no store here; none is begun then for an epoch up to this one. <see cref="TransferAnswer.Stale"/> also for one whose
    /// store is set aside here: the mail is where that move has taken it.</returns>
    public Task<TransferAnswer> ReleaseAsync(UserName user, long epoch, CancellationToken cancellationToken) => AnswerAsync(user, async () =>
    {
        if (!UserStorePath.Exists(_dataDirectory, user))
        {
            using var closed = await _mails.KeepOutAsync(user, CloseLimit, cancellationToken);
            if (closed is null) return TransferAnswer.Busy;
            if (!UserStorePath.Exists(_dataDirectory, user))
            {
                if (_moved.EpochOf(user) > epoch || _moved.HoldsStoreOf(user)) return TransferAnswer.Stale;
                _moved.SetAside(user, epoch);
                return TransferAnswer.NotHeld;
            }
        }
        if (!await _mails.ReleaseAsync(user, epoch, cancellationToken)) return TransferAnswer.Stale;
        Log.Released(_logger, user, epoch);
        return TransferAnswer.Done;
    });

    /// <summary>Makes a released user's store ready to be handed over.</summary>
    /// <param name="user">The user.</param>
    /// <param name="epoch">At which epoch the user was released.</param>
    /// <returns>What is ready, with <see cref="TransferAnswer.Done"/>; <see cref="TransferAnswer.Busy"/> until then.</returns>
    public (TransferAnswer Answer, OfferedStore? Store) Offer(UserName user, long epoch)
    {
        if (MayOffer(user, epoch) is not TransferAnswer.Done and var refused) return (refused, null);
        if (_outgoing.Offer(user, epoch) is not { Preparation.IsCompleted: true } transfer) return (TransferAnswer.Busy, null);
        return transfer.Manifest is not { } manifest ? (AnswerOf(transfer.Preparation), null) : (TransferAnswer.Done, new OfferedStore(manifest.Fingerprint, transfer.ManifestDigest, manifest.Messages, manifest.TotalBytes));
    }

    /// <summary>Begins to hand a released user's store over.</summary>
    /// <param name="user">The user.</param>
    /// <param name="epoch">At which epoch the user was released.</param>
    /// <returns>What the other node reads it with; none, and why, when it cannot be.</returns>
    public (TransferAnswer Answer, string? Ticket) OpenOutgoing(UserName user, long epoch)
    {
        if (MayOffer(user, epoch) is not TransferAnswer.Done and var refused) return (refused, null);
        return _outgoing.Open(user, epoch) is { } ticket ? (TransferAnswer.Done, ticket) : (TransferAnswer.Busy, null);
    }

    /// <summary>The manifest of what a ticket is for.</summary>
    /// <returns><see cref="TransferAnswer.Busy"/> while it is being made ready; <see cref="TransferAnswer.NotHeld"/> for a ticket that nobody was given, or that is over.</returns>
    public (TransferAnswer Answer, byte[]? Manifest) FindManifest(string ticket)
    {
        if (_outgoing.Find(ticket) is not { } transfer) return (TransferAnswer.NotHeld, null);
        if (!transfer.Preparation.IsCompleted) return (TransferAnswer.Busy, null);
        return transfer.Manifest is { } manifest ? (TransferAnswer.Done, manifest.Write()) : (AnswerOf(transfer.Preparation), null);
    }

    /// <summary>Opens a file of that manifest from an offset on.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="number">The file's place in the manifest, from 0.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <returns>The bytes and the size of the whole file; <c>null</c> for another ticket, number or offset.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public (Stream Content, long Size)? OpenFile(string ticket, int number, long offset) => _outgoing.OpenFile(ticket, number, offset);

    /// <summary>Begins to fetch a user's store from another node, or goes on with it.</summary>
    /// <param name="user">The user.</param>
    /// <param name="epoch">The epoch at which the user was released there.</param>
    /// <param name="source">The other node's HTTP.</param>
    /// <param name="manifest">What the manifest there must be: its SHA-256, in small hexadecimal digits.</param>
    /// <param name="assertion">What opens the store there.</param>
    /// <returns><see cref="TransferAnswer.InUse"/> when the user's mail is here already, and not as something that waits for this very order.</returns>
    public TransferAnswer Receive(UserName user, long epoch, Uri source, string manifest, string assertion)
    {
        try
        {
            if (StoreMark.Of(_dataDirectory, user) is { } mark)
            {
                if (mark.State == StoreState.Received && mark.Epoch == epoch) return TransferAnswer.Done;
                if (mark.Epoch >= epoch) return TransferAnswer.Stale;
                if (mark.State == StoreState.Active) return TransferAnswer.InUse;
            }
        }
        catch (StoreException)
        {
            // What is here cannot be read. A person has to look at it before anything takes its place.
            return TransferAnswer.InUse;
        }
        return _incoming.Begin(user, epoch, source, manifest, assertion) ? TransferAnswer.Done : TransferAnswer.Busy;
    }

    /// <summary>How far the node is with a user who comes here.</summary>
    public TransferStatus StatusOf(UserName user)
    {
        if (_incoming.Find(user) is { Stage: not TransferStage.Received } running) return running;
        try
        {
            return StoreMark.Of(_dataDirectory, user) switch
            {
                { State: StoreState.Active } mark => new TransferStatus(TransferStage.Active, mark.Epoch, null, 0, 0, 0, TransferFault.None, null),
                { State: StoreState.Received } mark => Received(user, mark),
                { } mark => new TransferStatus(TransferStage.None, mark.Epoch, null, 0, 0, 0, TransferFault.None, null),
                null => new TransferStatus(TransferStage.None, _moved.EpochOf(user), null, 0, 0, 0, TransferFault.None, null),
            };
        }
        catch (Exception failed) when (failed is StoreException or IOException)
        {
            return new TransferStatus(TransferStage.Failed, 0, null, 0, 0, 0, TransferFault.Damaged, failed.Message);
        }
    }

    /// <summary>The user is at home here from this epoch on.</summary>
    public Task<TransferAnswer> ActivateAsync(UserName user, long epoch, CancellationToken cancellationToken) => AnswerAsync(user, async () =>
    {
        // Sessions may be there already, if the order comes a second time: nobody is disturbed then.
        if (StoreMark.Of(_dataDirectory, user) is { State: StoreState.Active } now && now.Epoch >= epoch) return now.Epoch == epoch ? TransferAnswer.Done : TransferAnswer.Stale;
        using var closed = await _mails.KeepOutAsync(user, CloseLimit, cancellationToken);
        if (closed is null) return TransferAnswer.Busy;
        if (StoreMark.Of(_dataDirectory, user) is not { } mark) return TransferAnswer.NotHeld;
        if (mark.Epoch > epoch) return TransferAnswer.Stale;
        if (mark.State == StoreState.Active && mark.Epoch == epoch) return TransferAnswer.Done;
        await StoreMark.WriteAsync(UserStorePath.Of(_dataDirectory, user), new StoreMark(epoch, StoreState.Active), CancellationToken.None);
        await _outgoing.CloseAsync(user);
        Log.Activated(_logger, user, epoch);
        return TransferAnswer.Done;
    });

    /// <summary>The user is at home elsewhere from this epoch on: the store goes out of the way, and is kept for a while.</summary>
    /// <returns><see cref="TransferAnswer.InUse"/> for one that was not released.</returns>
    public Task<TransferAnswer> SetAsideAsync(UserName user, long epoch, CancellationToken cancellationToken) => AnswerAsync(user, async () =>
    {
        await _outgoing.CloseAsync(user);
        using var closed = await _mails.KeepOutAsync(user, CloseLimit, cancellationToken);
        if (closed is null) return TransferAnswer.Busy;
        var mark = StoreMark.Of(_dataDirectory, user);
        if (mark?.Epoch >= epoch) return TransferAnswer.Stale;
        if (mark?.State == StoreState.Active) return TransferAnswer.InUse;
        _moved.SetAside(user, epoch);
        Log.SetAside(_logger, user, epoch);
        return TransferAnswer.Done;
    });

    /// <summary>The user does not come here after all: what has come goes.</summary>
    /// <param name="user">The user.</param>
    /// <param name="epoch">The epoch at which the user was released at the other node.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see cref="TransferAnswer.InUse"/> when the user is at home here already: it is too late.</returns>
    public Task<TransferAnswer> DiscardAsync(UserName user, long epoch, CancellationToken cancellationToken) => AnswerAsync(user, async () =>
    {
        await _incoming.DiscardAsync(user);
        using var closed = await _mails.KeepOutAsync(user, CloseLimit, cancellationToken);
        if (closed is null) return TransferAnswer.Busy;
        if (StoreMark.Of(_dataDirectory, user) is not { } mark) return TransferAnswer.Done;
        if (mark.State == StoreState.Active) return TransferAnswer.InUse;
        if (mark.State == StoreState.Received && mark.Epoch <= epoch) _moved.SetAside(user, epoch);
        return TransferAnswer.Done;
    });

    /// <summary>Ends what runs; transfers go on where they were when directors order them again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        await _incoming.DisposeAsync();
        await _outgoing.DisposeAsync();
        await _sweeping;
    }

    /// <summary>What has come becomes the user's store, by one rename. Whoever looks finds the one or the other.</summary>
    private async Task InstallAsync(UserName user, long epoch, string store, CancellationToken cancellationToken)
    {
        await StoreMark.WriteAsync(store, new StoreMark(epoch, StoreState.Received), cancellationToken);
        using var closed = await _mails.KeepOutAsync(user, CloseLimit, cancellationToken) ?? throw new TransferException(TransferFault.InUse, "the user's mail is in use here");
        var target = UserStorePath.Of(_dataDirectory, user);
        switch (StoreMark.Of(_dataDirectory, user))
        {
            case { State: StoreState.Active }:
                throw new TransferException(TransferFault.InUse, "the user's mail is here already");
            case { } mark when mark.Epoch >= epoch:
                throw new TransferException(TransferFault.InUse, "a newer order has come meanwhile");
            case null when !Directory.Exists(target):
                break;
            default:
                _moved.SetAside(user, epoch);
                break;
        }
        UserStorePath.Make(Path.GetDirectoryName(target)!);
        Directory.Move(store, target);
        UserStorePath.FlushAbove(_dataDirectory, target);
        _moved.Welcome(user);
        Log.Received(_logger, user, epoch);
    }

    private TransferAnswer MayOffer(UserName user, long epoch)
    {
        try
        {
            if (StoreMark.Of(_dataDirectory, user) is not { } mark) return TransferAnswer.NotHeld;
            if (mark.State == StoreState.Released && mark.Epoch == epoch) return TransferAnswer.Done;
            return mark.Epoch > epoch ? TransferAnswer.Stale : TransferAnswer.InUse;
        }
        catch (StoreException failed)
        {
            return failed.IsDamage ? TransferAnswer.Damaged : TransferAnswer.Disk;
        }
    }

    private static TransferAnswer AnswerOf(Task failed) => failed.Exception?.GetBaseException() is StoreException { IsDamage: true } ? TransferAnswer.Damaged : TransferAnswer.Disk;

    private TransferStatus Received(UserName user, StoreMark mark)
    {
        // Read anew, and not remembered: this is what is compared with what the other node says.
        var found = StoreFingerprint.Of(UserStorePath.Of(_dataDirectory, user), _stop.Token);
        return new TransferStatus(TransferStage.Received, mark.Epoch, found.Digest, found.Messages, found.Bytes, found.Bytes, TransferFault.None, null);
    }

    private async Task<TransferAnswer> AnswerAsync(UserName user, Func<Task<TransferAnswer>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception failed) when (failed is StoreException or IOException or UnauthorizedAccessException)
        {
            if (failed is StoreException { IsFenced: true }) return TransferAnswer.Stale;
            Log.Failed(_logger, user, failed);
            return failed is StoreException { IsDamage: true } ? TransferAnswer.Damaged : TransferAnswer.Disk;
        }
    }

    private async Task SweepAsync(TimeSpan retention, TimeProvider clock)
    {
        using var timer = new PeriodicTimer(SweepInterval, clock);
        try
        {
            do
            {
                await Task.Yield();
                try
                {
                    var removed = _moved.Sweep(retention, _stop.Token);
                    if (removed > 0) Log.Swept(_logger, removed);
                }
                catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
                {
                    Log.SweepFailed(_logger, refused);
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Information, "{User} is released at epoch {Epoch}")]
        public static partial void Released(ILogger logger, UserName user, long epoch);

        [LoggerMessage(1203, LogLevel.Information, "The store of {User} has come here, complete (epoch {Epoch})")]
        public static partial void Received(ILogger logger, UserName user, long epoch);

        [LoggerMessage(1204, LogLevel.Information, "{User} is at home here from epoch {Epoch} on")]
        public static partial void Activated(ILogger logger, UserName user, long epoch);

        [LoggerMessage(1205, LogLevel.Information, "{User} is at home elsewhere from epoch {Epoch} on; the store is set aside")]
        public static partial void SetAside(ILogger logger, UserName user, long epoch);

        [LoggerMessage(1206, LogLevel.Error, "An order about the store of {User} cannot be carried out")]
        public static partial void Failed(ILogger logger, UserName user, Exception failure);

        [LoggerMessage(1207, LogLevel.Information, "{Stores} stores that were set aside long ago are removed")]
        public static partial void Swept(ILogger logger, int stores);

        [LoggerMessage(1208, LogLevel.Error, "Stores that were set aside cannot be looked through")]
        public static partial void SweepFailed(ILogger logger, Exception failure);
    }
}

/// <summary>A store that is ready to be handed over.</summary>
/// <param name="Fingerprint">What it says, as a digest.</param>
/// <param name="Manifest">The SHA-256 of the manifest, in small hexadecimal digits: it has the digest of each file.</param>
/// <param name="Messages">How many messages it has.</param>
/// <param name="Bytes">What there is to be sent.</param>
public sealed record OfferedStore(string Fingerprint, string Manifest, long Messages, long Bytes);

/// <summary>What a node says to an order.</summary>
public enum TransferAnswer
{
    /// <summary>It is done, or was before.</summary>
    Done,
    /// <summary>There is no such store here, or no such ticket.</summary>
    NotHeld,
    /// <summary>A higher epoch has been seen: the order is not the newest.</summary>
    Stale,
    /// <summary>The store is in use here.</summary>
    InUse,
    /// <summary>Not now: others are first, or sessions have not ended yet. Ask again.</summary>
    Busy,
    /// <summary>The disk is full, or refuses.</summary>
    Disk,
    /// <summary>The store cannot be read.</summary>
    Damaged,
}
