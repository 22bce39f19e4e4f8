using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Relay;

/// <summary>The threads that move the bytes of sessions; each session belongs to one of them.</summary>
internal sealed class RelayLoops : IDisposable
{
    private readonly PollLoop[] _loops;
    private uint _next;

    /// <param name="count">How many; none where the system has nothing of the kind.</param>
    /// <param name="logger">For their faults.</param>
    public RelayLoops(int count, ILogger logger)
    {
        _loops = new PollLoop[PollLoop.IsSupported ? count : 0];
        for (var i = 0; i < _loops.Length; i++) _loops[i] = new PollLoop($"relay {i + 1}", logger);
    }

    /// <returns>The thread for the next session; <c>null</c> where there are none.</returns>
    public PollLoop? Next() => _loops.Length == 0 ? null : _loops[Interlocked.Increment(ref _next) % (uint)_loops.Length];

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }
}
