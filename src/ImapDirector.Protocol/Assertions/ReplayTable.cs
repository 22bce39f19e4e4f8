namespace ImapDirector.Protocol.Assertions;

/// <summary>The tokens a node has had, each for as long as it would be valid. By the time that has passed, not by the clock, which may be set.</summary>
internal sealed class ReplayTable(TimeProvider time, int capacity)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<UInt128, DateTimeOffset> _used = [];
    private readonly PriorityQueue<UInt128, long> _ends = new();
    private DateTimeOffset _forgotten = DateTimeOffset.MinValue;

    /// <summary>Notes that a token is used now.</summary>
    /// <param name="id">Which.</param>
    /// <param name="expires">Until when it is valid, as its director says.</param>
    /// <param name="remaining">For how long it would still be valid by the clock of now.</param>
    public AssertionRefusal Use(UInt128 id, DateTimeOffset expires, TimeSpan remaining)
    {
        var now = time.GetTimestamp();
        lock (_sync)
        {
            while (_ends.TryPeek(out var ended, out var end) && end < now)
            {
                _ends.Dequeue();
                _used.Remove(ended, out var expired);
                if (expired > _forgotten) _forgotten = expired;
            }
            // A clock that was set back must not make one valid again that is not known any more.
            if (expires <= _forgotten) return AssertionRefusal.Expired;
            if (_used.ContainsKey(id)) return AssertionRefusal.Replayed;
            // To forget one would be to take it a second time.
            if (_used.Count >= capacity) return AssertionRefusal.TooMany;
            _used.Add(id, expires);
            _ends.Enqueue(id, now + (long)(remaining.TotalSeconds * time.TimestampFrequency));
            return AssertionRefusal.None;
        }
    }
}
