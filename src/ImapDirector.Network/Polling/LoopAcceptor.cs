using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>Takes the connections of one listening socket on one of the loops that wait for it.</summary>
/// <param name="loop">Which.</param>
/// <param name="listening">The socket, in non-blocking mode.</param>
/// <param name="onAccepted">Who gets each connection, with who has connected, on the loop's thread.</param>
/// <param name="onFault">Told of a fault of who gets it, which ends that connection.</param>
/// <param name="onFailed">Told when the system refuses one, on the loop's thread. For a moment none is taken then.</param>
internal sealed class LoopAcceptor(PollLoop loop, Socket listening, Action<PollLoop, SocketDescriptor, IPEndPoint> onAccepted, Action<Exception> onFault, Action<SocketError> onFailed) : IPollTarget
{
    // After a failed accept, such as for want of file descriptors, which only come back when a connection closes.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);
    // From errno.h: the client has gone (accept(2) names more of the network's errors, which are the client's alone too).
    private static readonly int[] OfTheClient = [LinuxCalls.Interrupted, LinuxCalls.ProtocolError, 64, 70, 92, 95, 100, 101, 103, 112, 113];

    private readonly SafeHandle _handle = listening.SafeHandle;
    private ulong _id;
    private bool _isHeld;
    private volatile bool _hasEnded;

    int IPollTarget.Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>Begins.</summary>
    /// <exception cref="IOException">The system refuses, or the loop has ended.</exception>
    public void Begin()
    {
        _handle.DangerousAddRef(ref _isHeld);
        _id = loop.Add(this, PollEvents.Readable | PollEvents.Exclusive);
    }

    /// <summary>Ends it; when this is done none is taken any more.</summary>
    public Task EndAsync() => loop.RunAsync(End);

    void IPollTarget.OnReady(PollEvents events)
    {
        // One each time: others that wait for their turn on this thread have it first, and other threads may take the next.
        if (SocketDescriptor.Accept(((IPollTarget)this).Descriptor, out var remote, out var error) is { } accepted)
        {
            Hand(accepted, remote);
            return;
        }
        if (LoopSocket.WouldBlock(error) || OfTheClient.Contains(-error)) return;
        onFailed(LinuxSockets.Failed(error).SocketErrorCode);
        _ = PauseAsync();
    }

    void IPollTarget.OnGivenUp() => End();

    private void Hand(SocketDescriptor accepted, IPEndPoint? remote)
    {
        try
        {
            if (remote is not null) onAccepted(loop, accepted, remote);
            else accepted.Dispose();
        }
        catch (Exception fault)
        {
            // One connection's alone: nobody would be accepted here any more.
            accepted.Disconnect();
            accepted.Dispose();
            onFault(fault);
        }
    }

    private async Task PauseAsync()
    {
        Unwatch();
        // However often the system refuses: without this nobody would be taken here any more.
        while (_id == 0 && !_hasEnded)
        {
            await Task.Delay(PauseAfterFailure);
            await loop.RunAsync(Resume).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Resume()
    {
        if (!_hasEnded) _id = loop.Add(this, PollEvents.Readable | PollEvents.Exclusive);
    }

    private void Unwatch()
    {
        if (_id != 0) loop.Remove(_id, ((IPollTarget)this).Descriptor);
        _id = 0;
    }

    private void End()
    {
        if (_hasEnded) return;
        _hasEnded = true;
        Unwatch();
        if (_isHeld) _handle.DangerousRelease();
    }
}
