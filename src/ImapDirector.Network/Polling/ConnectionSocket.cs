using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>What a connection goes through: a socket of the runtime's, or, on a loop, nothing but its descriptor. What the runtime keeps for a socket that it has once waited for (some
/// 1.5 KB, and what the last wait was cancelled by) would be there for as long as a session idles.</summary>
internal sealed class ConnectionSocket
{
    private Socket? _socket;
    private readonly SocketDescriptor? _descriptor;

    /// <summary>Of a socket of the runtime's.</summary>
    public ConnectionSocket(Socket socket) => _socket = socket;

    /// <summary>Of nothing but a descriptor.</summary>
    public ConnectionSocket(SocketDescriptor descriptor) => _descriptor = descriptor;

    /// <summary>The runtime's socket; on a loop a new one, for the same connection.</summary>
    /// <exception cref="ObjectDisposedException">It is on a loop, and closed.</exception>
    /// <exception cref="SocketException">It is on a loop, and the system gives no more descriptors.</exception>
    public Socket Socket
    {
        get
        {
            if (Volatile.Read(ref _socket) is { } present) return present;
            var again = _descriptor!.ToSocket();
            if (Interlocked.CompareExchange(ref _socket, again, null) is { } other)
            {
                again.Dispose();
                return other;
            }
            if (!_descriptor.IsClosed) return again;
            // Closed meanwhile, by somebody who has seen no socket.
            again.Close(timeout: 0);
            throw new ObjectDisposedException(nameof(ConnectionSocket));
        }
    }

    /// <summary>Our own address.</summary>
    /// <exception cref="SocketException">The connection is lost.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public IPEndPoint LocalEndPoint => _descriptor?.LocalEndPoint ?? (IPEndPoint)Socket.LocalEndPoint!;

    /// <summary>Writes what the system takes without waiting.</summary>
    /// <returns>How much; whatever else happens is for <see cref="Socket"/> to find out.</returns>
    public int SendAtOnce(ReadOnlySpan<byte> bytes)
    {
        if (!PollLoop.IsSupported || bytes.IsEmpty) return 0;
        try
        {
            using var held = new HeldDescriptor((SafeHandle?)_descriptor ?? Socket.SafeHandle);
            return Math.Max(LinuxCalls.Send(held.Descriptor, bytes), 0);
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }
    }

    /// <summary>Says TCP's end.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="SocketException">The peer is gone.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void ShutdownSending()
    {
        if (_descriptor is { } descriptor) descriptor.ShutdownSending();
        else Socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Throws away what has come and was not read, up to so much.</summary>
    /// <exception cref="SocketException">The peer is gone.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public async ValueTask DiscardAsync(int most)
    {
        byte[]? buffer = null;
        try
        {
            for (var discarded = 0; discarded < most;)
            {
                if (_descriptor is null && Socket.Available == 0) return;
                buffer ??= ArrayPool<byte>.Shared.Rent(16 * 1024);
                var count = _descriptor is { } descriptor ? descriptor.Receive(buffer) : await Socket.ReceiveAsync(buffer);
                if (count <= 0) return;
                discarded += count;
            }
        }
        finally
        {
            if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Closes, when nobody holds it any more; what was written still arrives.</summary>
    public void Close()
    {
        _descriptor?.Dispose();
        Volatile.Read(ref _socket)?.Dispose();
    }

    /// <summary>Closes with a reset, from any thread.</summary>
    public void Abort()
    {
        if (_descriptor is not null)
        {
            _descriptor.Disconnect();
            _descriptor.Dispose();
        }
        Volatile.Read(ref _socket)?.Close(timeout: 0);
    }
}
