using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Relay;

/// <summary>The threads that accept clients, wait for them and for their nodes, and move the bytes of sessions; each connection belongs to one of them.</summary>
internal sealed class RelayLoops : IDisposable
{
    private readonly PollLoop[] _loops;

    /// <param name="count">How many; none where the system has nothing of the kind.</param>
    /// <param name="logger">For their faults.</param>
    public RelayLoops(int count, ILogger logger)
    {
        _loops = new PollLoop[PollLoop.IsSupported ? count : 0];
        for (var i = 0; i < _loops.Length; i++) _loops[i] = new PollLoop($"relay {i + 1}", logger);
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<PollLoop> All => _loops;

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }
}
