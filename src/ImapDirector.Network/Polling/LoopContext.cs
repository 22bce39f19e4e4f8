namespace ImapDirector.Network.Polling;

/// <summary>Has things done on a loop's thread, for <see cref="LoopReturn{T}"/>.</summary>
internal sealed class LoopContext(PollLoop loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.Post(() =>
    {
        if (loop.IsCurrent) d(state);
        // The loop has ended, and this is whoever has ended the task: it may hold locks.
        else ThreadPool.QueueUserWorkItem(_ => d(state));
    });
}
