namespace ImapDirector.Director.Directory;

/// <summary>Looks again and again whether there is something to do: at once when it is woken, and every so often, should a message be lost.</summary>
/// <param name="period">How often it looks by itself.</param>
/// <param name="look">What it does; the token fires when the loop ends.</param>
internal sealed class WakeableLoop(TimeSpan period, Func<CancellationToken, Task> look) : IAsyncDisposable
{
    // Neither is ever disposed: they have no timer, and whoever wakes it may be late.
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _woken = new(0, 1);
    private Task _running = Task.CompletedTask;

    public void Start() => _running = RunAsync();

    public void Wake()
    {
        try
        {
            if (_woken.CurrentCount == 0) _woken.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another message was quicker; one look is enough for both.
        }
    }

    /// <summary>Ends it; the look that runs is ended by its token and waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        var stopping = _stopping.Token;
        try
        {
            while (true)
            {
                await _woken.WaitAsync(period, stopping);
                await look(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed.
        }
    }
}
