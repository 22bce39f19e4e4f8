using ImapDirector.Protocol;

namespace ImapDirector.Director.Moves;

/// <summary>Holds logins and deliveries of users who are moving, up to a time and a number.</summary>
internal sealed class MoveWaits(DirectorOptions options, DirectorMetrics metrics)
{
    // So that all of them together ask Redis no more than some 500 times a second.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PauseForEach = TimeSpan.FromMilliseconds(2);

    private int _waiting;

    /// <summary>Asks again and again until the user is moving no more.</summary>
    /// <param name="ask">Asks the directory.</param>
    /// <param name="isMoving">Whether what it says is that the user is moving.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The last answer; it still says so when it took too long, or too many wait already.</returns>
    public async Task<T> UntilSettledAsync<T>(Func<Task<T>> ask, Func<T, bool> isMoving, CancellationToken cancellationToken)
    {
        var answer = await ask();
        if (!isMoving(answer)) return answer;
        if (Interlocked.Increment(ref _waiting) > options.MaxMoveWaiters)
        {
            Interlocked.Decrement(ref _waiting);
            return answer;
        }
        metrics.MoveWaiters.Inc();
        var until = Environment.TickCount64 + (long)options.MoveWait.TotalMilliseconds;
        try
        {
            while (isMoving(answer) && Environment.TickCount64 < until)
            {
                var pause = PauseForEach * Volatile.Read(ref _waiting);
                await Task.Delay(pause < ShortestPause ? ShortestPause : pause, cancellationToken);
                answer = await ask();
            }
            return answer;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            metrics.MoveWaiters.Dec();
        }
    }
}
