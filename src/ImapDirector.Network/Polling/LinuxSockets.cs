using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>The calls of Linux that make connections without the runtime's sockets. Each answers a count or descriptor, or the error number below zero.</summary>
internal static unsafe partial class LinuxSockets
{
    // From sys/socket.h, netinet/in.h, netinet/tcp.h and errno.h; the same on all of .NET's Linux architectures.
    private const int Stream = 1;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int Tcp = 6;
    private const int NoDelay = 1;
    private const int KeepIdle = 4;
    private const int KeepInterval = 5;
    private const int KeepCount = 6;
    private const int SocketLevel = 1;
    private const int ErrorOption = 4;
    private const int KeepAlive = 9;
    private const int InProgress = 115;

    /// <summary>accept4(2): a descriptor in non-blocking mode, and who is there.</summary>
    public static int Accept(int listening, SocketAddress remote)
    {
        var length = (uint)remote.Size;
        fixed (byte* first = remote.Buffer.Span)
        {
            var result = Result(accept4(listening, first, &length, CloseOnExec | NonBlocking));
            if (result >= 0) remote.Size = (int)Math.Min(length, (uint)remote.Buffer.Length);
            return result;
        }
    }

    /// <summary>socket(2): for TCP, in non-blocking mode.</summary>
    public static int New(AddressFamily family)
    {
        // The kernel's number of it is what the runtime writes into an address.
        var number = new SocketAddress(family).Buffer.Span;
        return Result(socket(MemoryMarshal.Read<ushort>(number), Stream | CloseOnExec | NonBlocking, Tcp));
    }

    /// <summary>connect(2).</summary>
    public static int Connect(int socket, SocketAddress remote)
    {
        fixed (byte* first = remote.Buffer.Span) return Result(connect(socket, first, (uint)remote.Size));
    }

    /// <summary>Whether connecting goes on.</summary>
    public static bool IsUnderWay(int result) => result is -InProgress or -LinuxCalls.Interrupted;

    /// <summary>SO_ERROR of socket(7), as a number below zero; 0 for none.</summary>
    public static int PendingError(int socket)
    {
        var (error, length) = (0, (uint)sizeof(int));
        var result = Result(getsockopt(socket, SocketLevel, ErrorOption, &error, &length));
        return result < 0 ? result : -error;
    }

    /// <summary>getsockname(2).</summary>
    public static int NameOf(int socket, SocketAddress local)
    {
        var length = (uint)local.Size;
        fixed (byte* first = local.Buffer.Span)
        {
            var result = Result(getsockname(socket, first, &length));
            if (result >= 0) local.Size = (int)Math.Min(length, (uint)local.Buffer.Length);
            return result;
        }
    }

    /// <summary>As <see cref="Connection.SetUp"/>, by setsockopt(2). None of these fails for a socket of TCP.</summary>
    public static void SetUp(int socket)
    {
        Set(socket, Tcp, NoDelay, 1);
        Set(socket, SocketLevel, KeepAlive, 1);
        Set(socket, Tcp, KeepIdle, Connection.KeepAliveIdleSeconds);
        Set(socket, Tcp, KeepInterval, Connection.KeepAliveIntervalSeconds);
        Set(socket, Tcp, KeepCount, Connection.KeepAliveCount);
    }

    /// <summary>What a failure is called where sockets are the runtime's. The numbers are those of errno.h.</summary>
    public static SocketException Failed(int error) => new((int)(-error switch
    {
        12 or 105 => SocketError.NoBufferSpaceAvailable,
        13 or 1 => SocketError.AccessDenied,
        23 or 24 => SocketError.TooManyOpenSockets,
        97 => SocketError.AddressFamilyNotSupported,
        99 => SocketError.AddressNotAvailable,
        101 => SocketError.NetworkUnreachable,
        103 => SocketError.ConnectionAborted,
        104 => SocketError.ConnectionReset,
        107 => SocketError.NotConnected,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        112 => SocketError.HostDown,
        113 => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    }));

    private static void Set(int socket, int level, int option, int value) => _ = setsockopt(socket, level, option, &value, sizeof(int));

    private static int Result(int value) => value < 0 ? -Marshal.GetLastSystemError() : value;

#pragma warning disable SYSLIB1092, CA5392, IDE1006 // libc is where it always is, and these are its names.
    [LibraryImport("libc")]
    private static partial int accept4(int listening, byte* address, uint* length, int flags);

    [LibraryImport("libc")]
    private static partial int socket(int family, int kind, int protocol);

    [LibraryImport("libc")]
    private static partial int connect(int socket, byte* address, uint length);

    [LibraryImport("libc")]
    private static partial int getsockname(int socket, byte* address, uint* length);

    [LibraryImport("libc")]
    private static partial int getsockopt(int socket, int level, int option, int* value, uint* length);

    [LibraryImport("libc")]
    private static partial int setsockopt(int socket, int level, int option, int* value, uint length);
#pragma warning restore SYSLIB1092, CA5392, IDE1006
}
