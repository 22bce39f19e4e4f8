using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>A connected socket of which nothing is left but its descriptor. Its number is nobody else's for as long as anybody holds it.</summary>
internal sealed class SocketDescriptor : SafeHandle
{
    private SocketDescriptor(int descriptor) : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc />
    public override bool IsInvalid => handle < 0;

    /// <summary>Takes the next connection that waits at a listening socket.</summary>
    /// <param name="listening">Its number.</param>
    /// <param name="remote">Who has connected; <c>null</c> where they have gone already.</param>
    /// <param name="error">The error number below zero, where there is none.</param>
    /// <returns><c>null</c> when none waits, or the system refuses.</returns>
    public static SocketDescriptor? Accept(int listening, out IPEndPoint? remote, out int error)
    {
        remote = null;
        var address = new SocketAddress(AddressFamily.InterNetworkV6);
        error = LinuxSockets.Accept(listening, address);
        if (error < 0) return null;
        var accepted = new SocketDescriptor(error);
        remote = EndPointOf(address);
        return accepted;
    }

    /// <summary>Begins to connect, with what <see cref="Connection.SetUp"/> sets.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="isMade">Whether it is connected already; otherwise it can be written to when it is, or has failed.</param>
    /// <exception cref="SocketException">The system refuses, or nobody is there.</exception>
    public static SocketDescriptor Connect(IPEndPoint remote, out bool isMade)
    {
        var made = LinuxSockets.New(remote.AddressFamily);
        if (made < 0) throw LinuxSockets.Failed(made);
        var descriptor = new SocketDescriptor(made);
        LinuxSockets.SetUp(made);
        var result = LinuxSockets.Connect(made, remote.Serialize());
        isMade = result >= 0;
        if (isMade || LinuxSockets.IsUnderWay(result)) return descriptor;
        descriptor.Dispose();
        throw LinuxSockets.Failed(result);
    }

    /// <summary>Asks how connecting has ended.</summary>
    /// <exception cref="SocketException">Not well.</exception>
    /// <exception cref="ObjectDisposedException">This is closed.</exception>
    public void DemandMade()
    {
        using var held = new HeldDescriptor(this);
        if (LinuxSockets.PendingError(held.Descriptor) is < 0 and var error) throw LinuxSockets.Failed(error);
    }

    /// <summary>Our own address.</summary>
    /// <exception cref="SocketException">The connection is lost.</exception>
    /// <exception cref="ObjectDisposedException">This is closed.</exception>
    public IPEndPoint LocalEndPoint
    {
        get
        {
            using var held = new HeldDescriptor(this);
            var address = new SocketAddress(AddressFamily.InterNetworkV6);
            if (LinuxSockets.NameOf(held.Descriptor, address) is < 0 and var error) throw LinuxSockets.Failed(error);
            return EndPointOf(address) ?? throw new SocketException((int)SocketError.NotConnected);
        }
    }

    private static IPEndPoint? EndPointOf(SocketAddress address) => address.Family switch
    {
        AddressFamily.InterNetwork => (IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(address),
        AddressFamily.InterNetworkV6 => (IPEndPoint)new IPEndPoint(IPAddress.IPv6Any, 0).Create(address),
        _ => null,
    };

    /// <summary>A socket of the runtime's for the same connection, with a descriptor of its own.</summary>
    /// <exception cref="ObjectDisposedException">This is closed.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    public Socket ToSocket()
    {
        using var held = new HeldDescriptor(this);
        var duplicate = LinuxCalls.Duplicate(held.Descriptor);
        if (duplicate < 0) throw LinuxSockets.Failed(duplicate);
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
