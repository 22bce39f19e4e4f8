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
