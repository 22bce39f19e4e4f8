namespace ImapDirector.Director.Directory;

/// <summary>After a row of time-outs it lets one call through per pause and refuses the others at once, so that a Redis that
/// hangs costs a few logins a second each, and not every login (limits R7).</summary>
internal sealed class CircuitBreaker(TimeProvider clock, int threshold, TimeSpan pause)
{
    private readonly Lock _lock = new();
    private int _failures;
    private long _closedUntil;

    /// <summary>Whether a call may be made now. One that may must end in <see cref="Succeeded"/> or <see cref="Failed"/>.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_failures < threshold) return true;
            var now = clock.GetTimestamp();
            if (now < _closedUntil) return false;
            _closedUntil = After(now);
            return true;
        }
    }

    /// <summary>A call was answered.</summary>
    public void Succeeded()
    {
        lock (_lock) _failures = 0;
    }

    /// <summary>A call was not answered in time.</summary>
    public void Failed()
    {
        lock (_lock)
        {
            if (++_failures >= threshold) _closedUntil = After(clock.GetTimestamp());
        }
    }

    private long After(long timestamp) => timestamp + (long)(pause.TotalSeconds * clock.TimestampFrequency);
}
