namespace ImapDirector.Network.Tls;

/// <summary>Lets only so many handshakes be at work at one time, for each is the most expensive thing that a stranger can ask for (limits P10). One that waits for its
/// peer has no turn: however many do, they shut the door to nobody.</summary>
internal sealed class HandshakeTurns : IDisposable
{
    // Where the steps of a handshake cannot be seen, whoever takes longer than this is taken to be waiting.
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turns = new(4 * Environment.ProcessorCount);

    /// <inheritdoc />
    public void Dispose() => _turns.Dispose();

    /// <summary>Waits for a turn.</summary>
    public Task EnterAsync(CancellationToken cancellationToken) => _turns.WaitAsync(cancellationToken);

    /// <summary>Gives it back.</summary>
    public void Leave() => _turns.Release();

    /// <summary>Runs all of a handshake, with a turn at its beginning.</summary>
    public async Task RunAsync(Func<Task> handshake, CancellationToken cancellationToken)
    {
        Task running;
        await EnterAsync(cancellationToken);
        try
        {
            running = handshake();
            await running.WaitAsync(LongestTurn, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Leave();
        }
        await running;
    }
}
