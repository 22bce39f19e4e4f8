namespace ImapDirector.Storage.Mailboxes;

/// <summary>Wakes the one session that waits for a change; a signal given while nobody waits is kept.</summary>
internal sealed class ChangeSignal
{
    private readonly Lock _sync = new();
    private TaskCompletionSource? _waiter;
    private bool _signalled;

    public void Set()
    {
        lock (_sync)
        {
            if (_waiter is null) _signalled = true;
            else _waiter.TrySetResult();
            _waiter = null;
        }
    }

    /// <summary>Completes with the next signal. Waits that were given up are harmless: the same task is handed out until it completes.</summary>
    public Task WaitAsync()
    {
        lock (_sync)
        {
            if (_signalled)
            {
                _signalled = false;
                return Task.CompletedTask;
            }
            // Continuations must not run inside the publisher's lock.
            _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task;
        }
    }
}
