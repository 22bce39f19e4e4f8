using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>A connected socket of which nothing is left but its descriptor. Its number is nobody else's for as long as anybody holds it.</summary>
internal sealed class SocketDescriptor : SafeHandle
{
    private SocketDescriptor(int descriptor) : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc />
    public override bool IsInvalid => handle < 0;

    /// <summary>Takes the connection out of a socket, which can be disposed of then without ending it. Nobody may be waiting for the socket.</summary>
    /// <returns><c>null</c> where the system gives no descriptor, or the runtime could not be told to watch the socket no more.</returns>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static SocketDescriptor? TryTake(Socket socket)
    {
        if (!RuntimePollers.AreKnown) return null;
        using var held = new HeldDescriptor(socket.SafeHandle);
        var duplicate = LinuxCalls.Duplicate(held.Descriptor);
        if (duplicate < 0) return null;
        // A duplicate keeps it registered there when the number it was registered by is closed.
        RuntimePollers.Forget(held.Descriptor);
        return new SocketDescriptor(duplicate);
    }

    /// <summary>A socket of the runtime's for the same connection, with a descriptor of its own.</summary>
    /// <exception cref="ObjectDisposedException">This is closed.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    public Socket ToSocket()
    {
        using var held = new HeldDescriptor(this);
        var duplicate = LinuxCalls.Duplicate(held.Descriptor);
        if (duplicate < 0) throw new SocketException(-duplicate);
        return new Socket(new SafeSocketHandle(duplicate, ownsHandle: true));
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>A count, 0 at the end of the stream, or the error number below zero.</returns>
    /// <exception cref="ObjectDisposedException">This is closed.</exception>
    public int Receive(Span<byte> buffer)
    {
        using var held = new HeldDescriptor(this);
        return LinuxCalls.Receive(held.Descriptor, buffer);
    }

    /// <summary>Says TCP's end.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="ObjectDisposedException">This is closed.</exception>
    public void ShutdownSending()
    {
        using var held = new HeldDescriptor(this);
        if (LinuxCalls.ShutdownSending(held.Descriptor) is < 0 and var error) throw new IOException($"The connection is lost: error {-error}.");
    }

    /// <summary>Ends the connection with a reset, however many hold it; who waits for it is told.</summary>
    public void Disconnect()
    {
        try
        {
            using var held = new HeldDescriptor(this);
            // Where the system has no such thing, an end in both directions.
            if (LinuxCalls.Disconnect(held.Descriptor) < 0) _ = LinuxCalls.Shutdown(held.Descriptor);
        }
        catch (ObjectDisposedException)
        {
            // Then it has ended.
        }
    }

    /// <inheritdoc />
    protected override bool ReleaseHandle()
    {
        LinuxCalls.Close((int)handle);
        return true;
    }
}
