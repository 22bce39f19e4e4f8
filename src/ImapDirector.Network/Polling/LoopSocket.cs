using System.Net.Sockets;

namespace ImapDirector.Network.Polling;

/// <summary>A connected socket on a <see cref="PollLoop"/>: read from and written to without waiting, by the loop's thread alone. Its descriptor cannot become
/// another connection's as long as this is not disposed, whoever closes the socket.</summary>
public sealed class LoopSocket : IDisposable
{
    private readonly PollLoop _loop;
    private readonly IPollTarget _target;
    private readonly SafeSocketHandle _handle;
    private PollEvents _watched;
    private ulong _id;
    private bool _isHeld;

    /// <summary>Holds a socket, which nobody may be waiting for.</summary>
    /// <param name="loop">Where it is to be watched.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="target">Who is told of its events.</param>
    /// <exception cref="ObjectDisposedException">It is closed already.</exception>
    public LoopSocket(PollLoop loop, Socket socket, IPollTarget target)
    {
        (_loop, _target, _handle) = (loop, target, socket.SafeHandle);
        _handle.DangerousAddRef(ref _isHeld);
        Descriptor = (int)_handle.DangerousGetHandle();
    }

    /// <summary>Its number.</summary>
    public int Descriptor { get; }

    /// <summary>Begins to watch it; on the loop's thread.</summary>
    /// <exception cref="IOException">The system refuses.</exception>
    public void Begin()
    {
        RuntimePollers.Forget(Descriptor);
        if (LinuxCalls.SetNonBlocking(Descriptor) < 0) throw new IOException("A socket cannot be put into non-blocking mode.");
        _id = _loop.Add(_target);
    }

    /// <summary>Changes what it is watched for.</summary>
    public void Watch(PollEvents events)
    {
        if (events == _watched) return;
        _watched = events;
        _loop.Watch(_id, _target, events);
    }

    /// <summary>What it is watched for.</summary>
    public PollEvents Watched => _watched;

    /// <summary>Reads what is there.</summary>
    /// <returns>A count, 0 at the end of the stream, or the error number below zero.</returns>
    public int Receive(Span<byte> buffer) => LinuxCalls.Receive(Descriptor, buffer);

    /// <summary>Writes as much as it takes.</summary>
    /// <returns>A count, or the error number below zero.</returns>
    public int Send(ReadOnlySpan<byte> bytes) => LinuxCalls.Send(Descriptor, bytes);

    /// <summary>Whether a result says that it has to be waited for.</summary>
    public static bool WouldBlock(int result) => result == -LinuxCalls.WouldBlock;

    /// <summary>Whether a result says that it is to be tried again at once.</summary>
    public static bool WasInterrupted(int result) => result == -LinuxCalls.Interrupted;

    /// <summary>Ends the watch, on the loop's thread, and lets the socket go.</summary>
    public void Dispose()
    {
        if (_id != 0) _loop.Remove(_id, _target);
        if (_isHeld) _handle.DangerousRelease();
        _isHeld = false;
    }
}
