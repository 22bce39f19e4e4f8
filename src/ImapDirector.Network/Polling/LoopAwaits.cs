using System.Runtime.CompilerServices;

namespace ImapDirector.Network.Polling;

/// <summary>Awaited, it goes on on the thread of a <see cref="PollLoop"/>.</summary>
public readonly struct LoopSwitch(PollLoop loop) : INotifyCompletion
{
    /// <summary>Always <c>false</c>: even the loop's own thread goes on later.</summary>
    public bool IsCompleted => false;

    /// <summary>What await asks for.</summary>
    public LoopSwitch GetAwaiter() => this;

    /// <inheritdoc />
    public void OnCompleted(Action continuation) => loop.Post(continuation);

    /// <summary>Nothing.</summary>
    public void GetResult()
    {
    }
}

/// <summary>Awaited, it leaves the thread of a <see cref="PollLoop"/> for the thread pool.</summary>
public readonly struct LoopLeave : ICriticalNotifyCompletion
{
    /// <summary>Whether this is no loop's thread.</summary>
    public bool IsCompleted => PollLoop.Current is null;

    /// <summary>What await asks for.</summary>
    public LoopLeave GetAwaiter() => this;

    /// <inheritdoc />
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <inheritdoc />
    public void UnsafeOnCompleted(Action continuation) => ThreadPool.UnsafeQueueUserWorkItem(static rest => rest(), continuation, preferLocal: false);

    /// <summary>Nothing.</summary>
    public void GetResult()
    {
    }
}

/// <summary>Awaited on the thread of a <see cref="PollLoop"/>, it goes on there when the task is done, wherever that happens, or on the thread pool where the loop has ended; elsewhere it is as the task itself.</summary>
/// <typeparam name="T">What comes of the task.</typeparam>
public readonly struct LoopReturn<T>(Task<T> task) : ICriticalNotifyCompletion
{
    /// <summary>Whether the task is done.</summary>
    public bool IsCompleted => task.IsCompleted;

    /// <summary>What await asks for.</summary>
    public LoopReturn<T> GetAwaiter() => this;

    /// <inheritdoc />
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <inheritdoc />
    public void UnsafeOnCompleted(Action continuation)
    {
        if (PollLoop.Current is not { } loop)
        {
            task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(continuation);
            return;
        }
        // Only whoever awaits with a context is told by the thread that ends a task whose continuations are to run elsewhere: all others go through the thread pool first.
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(loop.Context);
        try
        {
            task.GetAwaiter().UnsafeOnCompleted(continuation);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    /// <summary>What came of it.</summary>
    public T GetResult() => task.GetAwaiter().GetResult();
}
