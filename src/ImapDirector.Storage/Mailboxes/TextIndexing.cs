using ImapDirector.Storage.Search;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>Brings mailboxes that are searched into the text index, in the background and in small pieces. Whoever never searches has none.</summary>
internal sealed class TextIndexing(UserStore store, Func<IReadOnlyList<IndexedText>, CancellationToken, Task> addAsync) : IAsyncDisposable
{
    /// <summary>Mailboxes with fewer messages to look at are searched as quickly without.</summary>
    public const int WorthIt = 200;

    // A change of the user's waits for one of these at most.
    private const int BatchSize = 50;

    // All users of the process together: it must not take the processors from those who wait for an answer.
    private static readonly SemaphoreSlim Places = new(Math.Max(1, Environment.ProcessorCount / 2));

    private readonly Lock _sync = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<long> _wanted = [];
    private Task _running = Task.CompletedTask;

    /// <summary>A search has met messages of this mailbox that the index does not know.</summary>
    public void Want(long mailboxId)
    {
        lock (_sync)
        {
            if (_stop.IsCancellationRequested || !_wanted.Add(mailboxId)) return;
            if (_wanted.Count == 1) _running = Task.Run(RunAsync);
        }
    }

    /// <summary>Completes when all that was wanted is in the index, or cannot be.</summary>
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
        while (Next() is { } mailboxId)
        {
            try
            {
                await Places.WaitAsync(_stop.Token);
                try
                {
                    await IndexAsync(mailboxId);
                }
                finally
                {
                    Places.Release();
                }
            }
            catch (Exception failed) when (failed is OperationCanceledException or StoreException or IOException)
            {
                // Searches are as right without the index; the next one tries again.
            }
            lock (_sync) _wanted.Remove(mailboxId);
        }
    }

    private long? Next()
    {
        lock (_sync) return _wanted.Count > 0 ? _wanted.First() : null;
    }

    private async Task IndexAsync(long mailboxId)
    {
        while (store.MissingTexts(mailboxId, BatchSize, _stop.Token) is { Count: > 0 } missing)
        {
            var texts = new List<IndexedText>(missing.Count);
            foreach (var contentId in missing.Distinct())
            {
                _stop.Token.ThrowIfCancellationRequested();
                if (TryRead(contentId) is { } text) texts.Add(text);
            }
            if (texts.Count == 0) return;
            await addAsync(texts, _stop.Token);
        }
    }

    /// <returns><c>null</c> when it went away meanwhile, or is damaged: it is left out.</returns>
    private IndexedText? TryRead(long contentId)
    {
        try
        {
            return IndexedTextReader.Read(store, contentId);
        }
        catch (Exception unreadable) when (unreadable is StoreException or IOException)
        {
            return null;
        }
    }
}
