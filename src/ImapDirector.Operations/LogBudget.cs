namespace ImapDirector.Operations;

/// <summary>Lets so many lines of a kind through that strangers can bring about, and counts the others.</summary>
/// <param name="clock">What time it is.</param>
internal sealed class LogBudget(TimeProvider clock)
{
    /// <summary>Lines in a <see cref="Span"/>.</summary>
    public const int Lines = 10;

    /// <summary>When there are as many again.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private long? _since;
    private int _written;
    private long _leftOut;

    /// <summary>Whether a line may be written now.</summary>
    /// <param name="leftOut">How many could not since the last one that could, to be told in front of it.</param>
    public bool TryTake(out long leftOut)
    {
        lock (_lock)
        {
            leftOut = 0;
            if (_since is not { } since || clock.GetElapsedTime(since) >= Span) (_since, _written) = (clock.GetTimestamp(), 0);
            if (_written == Lines)
            {
                _leftOut++;
                return false;
            }
            _written++;
            (leftOut, _leftOut) = (_leftOut, 0);
            return true;
        }
    }
}
