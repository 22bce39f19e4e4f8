namespace ImapDirector.Storage.Sessions;

/// <summary>Work that needs memory in proportion to a mailbox: only a few of all sessions do it at a time, the others wait until their deadline.</summary>
internal sealed class HeavyWork : IDisposable
{
    private readonly SemaphoreSlim _places = new(Math.Max(2, Environment.ProcessorCount));

    /// <exception cref="OperationCanceledException">The deadline passed before there was a place, or inside the work.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken deadline)
    {
        await _places.WaitAsync(deadline);
        try
        {
            return await Task.Run(work, deadline);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();
}
