using ImapDirector.Director.Relay;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>Hears how a relay has ended.</summary>
/// <param name="keepClient">How long the client is kept when the node has ended the session.</param>
internal sealed class RelayEnd(Func<TimeSpan>? keepClient = null) : IRelayOwner
{
    private readonly TaskCompletionSource<SessionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How it ended; waits for it.</summary>
    public Task<SessionEnd> WaitAsync() => _ended.Task.WaitAsync(TimeSpan.FromSeconds(60));

    TimeSpan IRelayOwner.KeepClient() => keepClient?.Invoke() ?? TimeSpan.Zero;

    void IRelayOwner.OnEnded(SessionEnd end, Exception? fault)
    {
        if (fault is null) _ended.SetResult(end);
        else _ended.SetException(fault);
    }
}
