using ImapDirector.Network;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Relay;

/// <summary>The threads that move the bytes of plain sessions; each session belongs to one of them.</summary>
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

    /// <returns>The thread for a session between these; <c>null</c> where the bytes have to come through here, as with TLS.</returns>
    public PollLoop? FindFor(Connection client, Connection node) => _loops.Length == 0 || client.IsSecure || node.IsSecure || client.IsCompressed || node.IsCompressed
        ? null
        : _loops[Interlocked.Increment(ref _next) % (uint)_loops.Length];

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }
}
