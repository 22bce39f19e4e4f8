using System.Collections.Concurrent;

namespace ImapDirector.Director.Relay;

/// <summary>One coarse clock that walks over all relays and ends those whose time is over, so that no read needs a timer of its own.</summary>
internal sealed class RelayWatch : IAsyncDisposable
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<SessionRelay, bool> _relays = new();
    private readonly PeriodicTimer _timer;
    private readonly Task _walking;
    private int _isOver;

    /// <summary>Begins to walk.</summary>
    /// <param name="idleTimeout">A relay with no byte in either direction for this long is ended, at most a second late.</param>
    /// <param name="lastPatience">So long a peer has to take what it is told in the end.</param>
    public RelayWatch(TimeSpan idleTimeout, TimeSpan lastPatience)
    {
        (IdleTimeout, LastPatience) = (idleTimeout, lastPatience);
        _timer = new PeriodicTimer(idleTimeout / 4 < LongestPeriod ? idleTimeout / 4 : LongestPeriod);
        _walking = WalkAsync();
    }

    /// <summary>How long a relay may be silent.</summary>
    public TimeSpan IdleTimeout { get; }

    /// <summary>A peer that takes nothing any more, not even its BYE, is let go without it after this time.</summary>
    public TimeSpan LastPatience { get; }

    /// <summary>Relays running now.</summary>
    public int Count => _relays.Count;

    public void Add(SessionRelay relay)
    {
        _relays[relay] = true;
        // With a fence between, as below: one of the two sees the other.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isOver) != 0) relay.Kick();
    }

    public void Remove(SessionRelay relay) => _relays.TryRemove(relay, out _);

    /// <summary>Ends all relays, and from now on each that begins.</summary>
    public void KickAll()
    {
        Interlocked.Exchange(ref _isOver, 1);
        foreach (var (relay, _) in _relays) relay.Kick();
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _walking;
    }

    private async Task WalkAsync()
    {
        while (await _timer.WaitForNextTickAsync())
        {
            var now = Environment.TickCount64;
            foreach (var (relay, _) in _relays) relay.EndIfOverdue(now);
        }
    }
}
