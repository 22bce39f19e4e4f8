using System.Threading.Tasks.Sources;

namespace ImapDirector.Network.Polling;

/// <summary>Whether one direction of a socket may be ready, and the one that waits until it is. The loop's thread says so; any thread may ask, one at a time. Whoever has
/// waited goes on on the loop's thread. A wait allocates nothing.</summary>
internal sealed class Readiness(PollLoop loop) : IValueTaskSource
{
    private const int Unknown = 0;
    private const int Ready = 1;
    private const int WaitedFor = 2;
    private const int Failed = 3;
    private const int KindBits = 2;

    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationToken _token;
    private CancellationTokenRegistration _cancelling;
    // Above the kind, which wait it is.
    private int _state;

    /// <summary>Whether who has waited goes on on the thread pool instead; not changed while anybody waits.</summary>
    public bool GoesOnOnPool { get => _core.RunContinuationsAsynchronously; set => _core.RunContinuationsAsynchronously = value; }

    /// <summary>Whether something has happened since the last time it was taken, or waited for.</summary>
    public bool IsReady => Volatile.Read(ref _state) == Ready;

    /// <summary>The same, and from here on as if it had not.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Unknown, Ready) == Ready;

    /// <summary>Waits until something happens, if nothing has since <see cref="TryTake"/>. It ends with an <see cref="IOException"/> when it is not waited for any more, and
    /// with an <see cref="OperationCanceledException"/> when the token fires.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        _core.Reset();
        _token = cancellationToken;
        switch (Interlocked.CompareExchange(ref _state, WaitedFor | ((ushort)_core.Version << KindBits), Unknown))
        {
            case Ready:
                Interlocked.CompareExchange(ref _state, Unknown, Ready);
                return ValueTask.CompletedTask;
            case Failed:
                return ValueTask.FromException(NotWaitedFor());
        }
        // Only now: one that fires before there is a wait would end none.
        _cancelling = cancellationToken.UnsafeRegister(static (waiter, token) => ((Readiness)waiter!).PostCancellation(token), this);
        return new ValueTask(this, _core.Version);
    }

    /// <summary>Something has happened; on the loop's thread.</summary>
    public void Set()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            var isWaitedFor = (state & Failed) == WaitedFor;
            if (!isWaitedFor && state != Unknown) return;
            if (Interlocked.CompareExchange(ref _state, isWaitedFor ? Unknown : Ready, state) != state) continue;
            if (isWaitedFor) _core.SetResult(true);
            return;
        }
    }

    /// <summary>Nothing will happen any more: whoever waits, or is to wait from now on, is told so.</summary>
    public void Fail()
    {
        if ((Interlocked.Exchange(ref _state, Failed) & Failed) == WaitedFor) _core.SetException(NotWaitedFor());
    }

    void IValueTaskSource.GetResult(short token)
    {
        // Not disposed of: that would wait for a cancellation that is being told.
        _cancelling.Unregister();
        (_cancelling, _token) = (default, CancellationToken.None);
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _core.OnCompleted(continuation, state, token, flags);

    // Whoever has waited goes on on the loop's thread, and only the wait that was meant is ended.
    private void PostCancellation(CancellationToken token)
    {
        var state = Volatile.Read(ref _state);
        if ((state & Failed) != WaitedFor || _token != token) return;
        loop.Post(() =>
        {
            if (Interlocked.CompareExchange(ref _state, Unknown, state) == state) _core.SetException(new OperationCanceledException(token));
        });
    }

    private static IOException NotWaitedFor() => new("The connection is not waited for any more.");
}
