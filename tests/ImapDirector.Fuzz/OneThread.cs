using System.Collections.Concurrent;

namespace ImapDirector.Fuzz;

/// <summary>A thread on which what is run goes on after each of its waits, so that the coverage of an input depends little on how threads take turns.</summary>
internal sealed class OneThread : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _work = [];
    private readonly Thread _thread;

    public OneThread()
    {
        _thread = new Thread(Work) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Begins something on it.</summary>
    public Task<T> Run<T>(Func<Task<T>> start)
    {
        var ended = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(async _ =>
        {
            try
            {
                ended.SetResult(await start());
            }
            catch (Exception failure)
            {
                ended.SetException(failure);
            }
        }, null);
        return ended.Task;
    }

    public override void Post(SendOrPostCallback d, object? state) => _work.Add((d, state));

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nobody waits for it.");

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private void Work()
    {
        SetSynchronizationContext(this);
        foreach (var (callback, state) in _work.GetConsumingEnumerable()) callback(state);
    }
}
