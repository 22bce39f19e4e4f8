using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>Removes what a large expunge has left on disk, in the background and some at a time, so that neither the client nor other changes wait for it.
/// What a stop or a crash leaves is found when the store is opened again.</summary>
internal sealed class ContentRemoval(UserStore store, Func<CancellationToken, Task> removeAsync) : IAsyncDisposable
{
    private readonly Lock _sync = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Begins if there is something to remove and it has not begun.</summary>
    public void Begin()
    {
        if (!store.HasUnreferencedContents) return;
        lock (_sync)
            if (_running.IsCompleted && !_stop.IsCancellationRequested) _running = Task.Run(RunAsync);
    }

    /// <summary>Completes when everything is removed, or cannot be.</summary>
    public Task WaitAsync()
    {
        lock (_sync) return _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await WaitAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (store.HasUnreferencedContents) await removeAsync(_stop.Token);
        }
        catch (Exception failed) when (failed is OperationCanceledException or StoreException)
        {
            // The next expunge, or the next opening, tries again.
        }
    }
}
