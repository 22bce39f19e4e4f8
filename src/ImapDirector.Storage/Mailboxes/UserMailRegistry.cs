using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>The users whose stores are open, each once in this process, so that all sessions and deliveries of a user share one view of each mailbox.</summary>
/// <remarks>A store that nobody uses stays open for a while, because a client that left often comes back, and deliveries come in groups.</remarks>
internal sealed class UserMailRegistry : IAsyncDisposable
{
    /// <summary>From here on a store that is opened takes the place of one that nobody uses.</summary>
    private const int MaxOpenWithoutUse = 1000;

    // Each waits for the disk, which brings a log into its database.
    private const int TrimmedAtOnce = 8;

    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan DefaultIdleTime = TimeSpan.FromSeconds(30);

    private readonly string _dataDirectory;
    private readonly StorageMetrics _metrics;
    private readonly TimeSpan _idleTime;
    private readonly int _maxOpen;
    private readonly Lock _sync = new();
    private readonly Dictionary<UserName, UserMailEntry> _entries = [];
    private readonly UserMailOpener _opener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sweeping;

    public UserMailRegistry(string dataDirectory, StorageMetrics metrics, QuotaLimits quota = default)
        : this(dataDirectory, metrics, DefaultIdleTime, quota)
    {
    }

    internal UserMailRegistry(string dataDirectory, StorageMetrics metrics, TimeSpan idleTime, QuotaLimits quota = default, int maxOpen = MaxOpenWithoutUse)
    {
        _maxOpen = maxOpen;
        _dataDirectory = dataDirectory;
        Sharing = new SharingIndex(dataDirectory);
        _opener = new UserMailOpener(dataDirectory, quota, Sharing, metrics);
        _metrics = metrics;
        _idleTime = idleTime;
        _sweeping = SweepAsync();
    }

    /// <summary>How many stores are open.</summary>
    public int Count
    {
        get { lock (_sync) return _entries.Count; }
    }

    /// <summary>Who has given something to whom.</summary>
    public SharingIndex Sharing { get; }

    /// <summary>As <see cref="AcquireAsync(UserName, CancellationToken)"/>, but makes nothing for a user who has no mail here.</summary>
    /// <returns><c>null</c> for such a user, and for one who is elsewhere now.</returns>
    /// <exception cref="StoreException">The store cannot be opened.</exception>
    public async ValueTask<UserMailLease?> TryAcquireAsync(UserName user, CancellationToken cancellationToken)
    {
        try
        {
            return UserStorePath.Exists(_dataDirectory, user) ? await AcquireAsync(user, cancellationToken) : null;
        }
        catch (StoreException refused) when (refused.IsFenced)
        {
            return null;
        }
    }

    /// <summary>For those who do not know the user's epoch: they are let in unless the user is released.</summary>
    /// <inheritdoc cref="AcquireAsync(UserName, long?, CancellationToken)" path="/exception" />
    public ValueTask<UserMailLease> AcquireAsync(UserName user, CancellationToken cancellationToken) => AcquireAsync(user, null, cancellationToken);

    /// <summary>Opens the user's mail, or joins those who have it open. Dispose the lease when done; the store is closed some time after the last one.</summary>
    /// <param name="user">The user.</param>
    /// <param name="epoch">The epoch of the user's assignment: a higher one than any before ends what goes on there.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StoreException">The store cannot be opened, or the epoch is over (<see cref="StoreException.IsFenced"/>).</exception>
    public async ValueTask<UserMailLease> AcquireAsync(UserName user, long? epoch, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Stores are opened no faster than others are closed: each takes a few of the process's files.
            while (BeginClosingOldest(user) is { } superfluous) await superfluous.Closing!.WaitAsync(cancellationToken);
            var entry = Enter(user, epoch);
            if (entry.Closing is { } closing)
            {
                await closing.WaitAsync(cancellationToken);
                continue;
            }
            var isEntered = false;
            try
            {
                var mail = await entry.Opening.WaitAsync(cancellationToken);
                switch (mail.Admit(epoch))
                {
                    case FenceAnswer.Join:
                        isEntered = true;
                        return new UserMailLease(this, entry, mail);
                    case FenceAnswer.Refuse:
                        _metrics.FencedOff.Inc();
                        throw StoreFence.Fenced();
                    default:
                        await BeginFence(entry, new StoreFence(epoch!.Value, IsReleased: false)).WaitAsync(cancellationToken);
                        break;
                }
            }
            finally
            {
                if (!isEntered) Leave(entry);
            }
        }
    }

    /// <summary>Hands the user over: from here on nothing is written for the user until a higher epoch comes. Sessions are ended, and waited for a while.</summary>
    /// <returns><c>false</c> when a higher epoch has come already.</returns>
    /// <exception cref="StoreException">The disk refuses.</exception>
    public async Task<bool> ReleaseAsync(UserName user, long epoch, CancellationToken cancellationToken)
    {
        var released = new StoreFence(epoch, IsReleased: true);
        while (true)
        {
            var entry = Enter(user, null);
            if (entry.Closing is { } closing)
            {
                await closing.WaitAsync(cancellationToken);
                continue;
            }
            try
            {
                var fence = (await entry.Opening.WaitAsync(cancellationToken)).Store.Fence!;
                if (fence.Epoch > epoch) return false;
                if (fence == released) return true;
                closing = BeginFence(entry, released);
            }
            finally
            {
                Leave(entry);
            }
            await closing.WaitAsync(cancellationToken);
            // Those that go are told at once; one that takes nothing of what it is sent goes after a moment.
            await Task.WhenAny(entry.Emptied, Task.Delay(LeaveTime, cancellationToken));
        }
    }

    /// <summary>Closes a user's store once nobody uses it, and keeps everybody waiting who wants it, until the result is disposed.</summary>
    /// <param name="user">The user.</param>
    /// <param name="patience">How long to wait for those who use it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>null</c> when it stays in use for so long.</returns>
    public async Task<IDisposable?> KeepOutAsync(UserName user, TimeSpan patience, CancellationToken cancellationToken)
    {
        var began = Environment.TickCount64;
        while (true)
        {
            Task? closing = null;
            lock (_sync)
            {
                ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
                if (!_entries.TryGetValue(user, out var entry))
                {
                    var closed = new ClosedUser(this, user);
                    _entries.Add(user, closed.Entry);
                    return closed;
                }
                if (entry is { Leases: 0, Closing: null, Opening.IsCompletedSuccessfully: true }) entry.Closing = CloseAsync(entry);
                closing = entry.Closing;
            }
            if (Environment.TickCount64 - began > patience.TotalMilliseconds) return null;
            if (closing is not null) await closing.WaitAsync(cancellationToken);
            else await Task.Delay(BetweenLooks, cancellationToken);
        }
    }

    /// <summary>Closes all stores.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sweeping;
        UserMailEntry[] open;
        lock (_sync)
        {
            open = [.. _entries.Values];
            _entries.Clear();
        }
        foreach (var entry in open)
        {
            // One that failed to open was told to those who asked for it.
            await ((Task)entry.Opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (entry.Closing is { } closing) await closing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else if (entry.Opening.IsCompletedSuccessfully) await (await entry.Opening).DisposeAsync();
        }
        _stop.Dispose();
    }

    /// <summary>Begins to close the store that nobody has used for longest, where many are open and another one is to be.</summary>
    /// <returns>That store; <c>null</c> when there is room, or everything is in use.</returns>
    private UserMailEntry? BeginClosingOldest(UserName user)
    {
        lock (_sync)
        {
            if (_entries.Count < _maxOpen || _entries.ContainsKey(user)) return null;
            UserMailEntry? oldest = null;
            foreach (var entry in _entries.Values)
                if (entry is { Leases: 0, Closing: null, Opening.IsCompletedSuccessfully: true } && entry.LastUsed <= (oldest?.LastUsed ?? long.MaxValue)) oldest = entry;
            if (oldest is not null) oldest.Closing = CloseAsync(oldest);
            return oldest;
        }
    }

    /// <summary>Has those who are there end their work, and others begin anew behind a fence.</summary>
    private Task BeginFence(UserMailEntry entry, StoreFence fence)
    {
        lock (_sync) return entry.Closing ??= FenceAsync(entry, fence);
    }

    private async Task FenceAsync(UserMailEntry entry, StoreFence fence)
    {
        await Task.Yield();
        var mail = await entry.Opening;
        try
        {
            await mail.FenceAsync(fence);
        }
        catch
        {
            // Nothing has changed: whoever comes next tries again.
            lock (_sync) entry.Closing = null;
            throw;
        }
        try
        {
            await mail.DisposeAsync();
        }
        finally
        {
            lock (_sync) _entries.Remove(entry.User);
        }
    }

    /// <summary>A lease on the user's entry, unless that is just closing.</summary>
    private UserMailEntry Enter(UserName user, long? epoch)
    {
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            if (!_entries.TryGetValue(user, out var entry))
                _entries.Add(user, entry = new UserMailEntry(user, _opener.OpenAsync(user, epoch, _stop.Token)));
            if (entry.Closing is null) entry.Leases++;
            return entry;
        }
    }

    internal void Leave(UserMailEntry entry)
    {
        lock (_sync)
        {
            entry.Leases--;
            entry.LastUsed = Environment.TickCount64;
            if (entry.Leases == 0 && entry.Closing is not null) entry.TellEmptied();
            // A store that could not be opened is tried anew by whoever comes next.
            if (entry.Leases == 0 && entry.Opening.IsFaulted) _entries.Remove(entry.User);
        }
    }

    private async Task SweepAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromTicks(Math.Max(_idleTime.Ticks / 4, TimeSpan.TicksPerMillisecond)));
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token)) await CloseIdleAsync();
        }
        catch (OperationCanceledException)
        {
            // The registry is being disposed.
        }
    }

    private async Task CloseIdleAsync()
    {
        List<UserMailEntry> idle = [];
        UserMailEntry[] used;
        lock (_sync)
        {
            used = [.. _entries.Values.Where(static entry => entry.Leases > 0 && entry.Opening.IsCompletedSuccessfully)];
            var before = Environment.TickCount64 - (long)_idleTime.TotalMilliseconds;
            foreach (var entry in _entries.Values)
            {
                if (entry.Leases > 0 || entry.Closing is not null || entry.LastUsed > before || !entry.Opening.IsCompletedSuccessfully) continue;
                idle.Add(entry);
                entry.Closing = CloseAsync(entry);
            }
        }
        foreach (var entry in idle) await entry.Closing!;
        var freed = idle.Count;
        await Parallel.ForEachAsync(used, new ParallelOptions { MaxDegreeOfParallelism = TrimmedAtOnce }, async (entry, _) =>
        {
            if (await TrimAsync(await entry.Opening)) Interlocked.Increment(ref freed);
        });
        // SQLite's memory is the C library's, which keeps what was freed until it is asked.
        if (freed > 0) FreedMemory.GiveBack();
    }

    private async Task<bool> TrimAsync(UserMail mail)
    {
        try
        {
            return await mail.TrimAsync(_idleTime);
        }
        catch (StoreException)
        {
            // Closed meanwhile, or its disk hangs: nothing to do for either here.
            return false;
        }
    }

    private async Task CloseAsync(UserMailEntry entry)
    {
        await Task.Yield();
        try
        {
            await (await entry.Opening).DisposeAsync();
        }
        finally
        {
            lock (_sync) _entries.Remove(entry.User);
        }
    }

    /// <summary>Stands in the place of a user's store, as one that is just being closed.</summary>
    private sealed class ClosedUser : IDisposable
    {
        private readonly UserMailRegistry _registry;
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ClosedUser(UserMailRegistry registry, UserName user)
        {
            _registry = registry;
            Entry = new UserMailEntry(user, Task.FromCanceled<UserMail>(new CancellationToken(canceled: true))) { Closing = _ended.Task };
        }

        public UserMailEntry Entry { get; }

        public void Dispose()
        {
            lock (_registry._sync)
                if (_registry._entries.TryGetValue(Entry.User, out var entry) && entry == Entry) _registry._entries.Remove(Entry.User);
            _ended.TrySetResult();
        }
    }
}
