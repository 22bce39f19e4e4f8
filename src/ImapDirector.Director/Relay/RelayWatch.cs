using System.Collections.Concurrent;

namespace ImapDirector.Director.Relay;

/// <summary>One coarse clock that ends relays whose time is over, so that no read needs a timer of its own. A relay that has all of its time is looked at so rarely
/// that thousands of silent ones cost next to nothing; one whose end has begun each second. Where none is, nothing wakes up.</summary>
internal sealed class RelayWatch : IAsyncDisposable
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRound = TimeSpan.FromSeconds(30);
    // A silent relay is ended so small a share of its time late.
    private const int RoundsInTime = 60;

    private readonly ConcurrentDictionary<SessionRelay, bool> _relays = new();
    // Those of them that have little time left.
    private readonly ConcurrentDictionary<SessionRelay, bool> _hurried = new();
    private readonly TimeSpan _period;
    // In milliseconds.
    private readonly long _round;
    // Neither is ever disposed: they have no timer, and whoever hurries a relay may be late.
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly Task _walking;
    private int _isOver;

    /// <summary>Begins to walk.</summary>
    /// <param name="idleTimeout">A relay with no byte in either direction for this long is ended, a sixtieth of it late at most: no less than a second, no more than
    /// thirty.</param>
    /// <param name="lastPatience">So long a peer has to take what it is told in the end, and at most a second more.</param>
    public RelayWatch(TimeSpan idleTimeout, TimeSpan lastPatience)
    {
        (IdleTimeout, LastPatience) = (idleTimeout, lastPatience);
        _period = Min(idleTimeout / 4, LongestPeriod);
        var share = Min(idleTimeout / RoundsInTime, LongestRound);
        _round = (long)(share > _period ? share : _period).TotalMilliseconds;
        _walking = WalkAsync();
    }

    /// <summary>How long a relay may be silent.</summary>
    public TimeSpan IdleTimeout { get; }

    /// <summary>A peer that takes nothing any more, not even its BYE, is let go without it after this time.</summary>
    public TimeSpan LastPatience { get; }

    /// <summary>Relays running now.</summary>
    public int Count => _relays.Count;

    /// <summary>Those of them whose end has begun.</summary>
    public int HurriedCount => _hurried.Count;

    public void Add(SessionRelay relay)
    {
        _relays[relay] = true;
        // With a fence between, as below: one of the two sees the other.
        Interlocked.MemoryBarrier();
        // Told to end before it has begun.
        if (relay.IsHurried) Hurry(relay);
        if (Volatile.Read(ref _isOver) != 0) relay.Kick();
    }

    /// <summary>A relay has less time from now on, as it says itself by now (<see cref="SessionRelay.IsHurried"/>). From any thread, again, and before it has been added or when it
    /// has been removed.</summary>
    public void Hurry(SessionRelay relay)
    {
        Interlocked.MemoryBarrier();
        if (!_relays.ContainsKey(relay) || !_hurried.TryAdd(relay, true)) return;
        Interlocked.MemoryBarrier();
        // Removed meanwhile, by somebody who has not found it here.
        if (!_relays.ContainsKey(relay)) _hurried.TryRemove(relay, out _);
        Wake();
    }

    public void Remove(SessionRelay relay)
    {
        _relays.TryRemove(relay, out _);
        Interlocked.MemoryBarrier();
        _hurried.TryRemove(relay, out _);
    }

    /// <summary>Ends all relays, and from now on each that begins.</summary>
    public void KickAll()
    {
        Interlocked.Exchange(ref _isOver, 1);
        foreach (var (relay, _) in _relays) relay.Kick();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _walking;
    }

    private async Task WalkAsync()
    {
        var stopping = _stopping.Token;
        var last = Environment.TickCount64;
        try
        {
            while (true)
            {
                // Whoever wakes it has some time yet, and many may come at once.
                if (_hurried.IsEmpty) await _woken.WaitAsync((int)Left(last), stopping);
                if (!_hurried.IsEmpty) await Task.Delay(_period, stopping);
                var isRound = Left(last) == 0;
                var now = Environment.TickCount64;
                foreach (var (relay, _) in isRound ? _relays : _hurried) relay.EndIfOverdue(now);
                if (isRound) last = now;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    /// <summary>How long the next round over all may wait, in milliseconds.</summary>
    private long Left(long last) => Math.Max(0, _round - (Environment.TickCount64 - last));

    private void Wake()
    {
        try
        {
            if (_woken.CurrentCount == 0) _woken.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another was quicker.
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
