namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>The turn to send on one connection, which those who wait for it have in the order of their coming. Every connection has one, and while nobody waits it is two words.</summary>
/// <param name="guard">Held while it is looked at.</param>
internal struct SendTurn(object guard)
{
    // Whoever has stopped waiting is still among them.
    private Queue<TaskCompletionSource>? _waiting;
    private bool _isTaken;

    /// <summary>Takes it when nobody has it.</summary>
    public bool TryTake()
    {
        lock (guard)
        {
            if (_isTaken) return false;
            _isTaken = true;
            return true;
        }
    }

    /// <summary>Waits for it.</summary>
    /// <param name="cancellationToken">Ends the wait; one that has fired begins none.</param>
    public Task TakeAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
        TaskCompletionSource mine;
        lock (guard)
        {
            if (!_isTaken)
            {
                _isTaken = true;
                return Task.CompletedTask;
            }
            mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (_waiting ??= []).Enqueue(mine);
        }
        return WaitAsync(mine, cancellationToken);
    }

    /// <summary>Gives it back, or to the first who still waits.</summary>
    public void End()
    {
        lock (guard)
        {
            while (_waiting?.TryDequeue(out var next) == true)
                if (next.TrySetResult()) return;
            _waiting = null;
            _isTaken = false;
        }
    }

    private static async Task WaitAsync(TaskCompletionSource mine, CancellationToken cancellationToken)
    {
        await using var cancelling = cancellationToken.UnsafeRegister(static (waiting, token) => ((TaskCompletionSource)waiting!).TrySetCanceled(token), mine);
        await mine.Task;
    }
}
