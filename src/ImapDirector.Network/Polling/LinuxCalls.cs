using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>The calls of Linux that the relay's threads make by themselves. Each answers a count, or the error number below zero.</summary>
/// <remarks>None of them blocks but <see cref="Wait"/>: all descriptors are in non-blocking mode, and each call says so once more where it can.</remarks>
internal static unsafe partial class LinuxCalls
{
    // From errno.h; the same on all of .NET's Linux architectures.
    public const int Interrupted = 4;
    public const int BadDescriptor = 9;
    public const int WouldBlock = 11;
    public const int ProtocolError = 71;

    // From sys/epoll.h.
    public const int Add = 1;
    public const int Delete = 2;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int More = 0x8000;
    private const uint SpliceMove = 1;
    private const uint SpliceNonBlocking = 2;
    private const int SetPipeSize = 1031;
    private const int DuplicateCloseOnExec = 1030;
    private const int WriteSide = 1;
    private const int BothSides = 2;
    private const int AddressBytes = 16;

    /// <summary>epoll_create1(2).</summary>
    public static int NewPoller() => Result(epoll_create1(CloseOnExec));

    /// <summary>eventfd(2): a counter whose descriptor can be read while it is not 0.</summary>
    public static int NewEvent() => Result(eventfd(0, CloseOnExec | NonBlocking));

    /// <summary>epoll_ctl(2).</summary>
    public static int Control(int poller, int operation, int descriptor, PollEvents events, ulong id)
    {
        var change = new PolledEvent(events, id);
        return Result(PolledEvent.IsPacked ? epoll_ctl(poller, operation, descriptor, &change) : ControlAligned(poller, operation, descriptor, events, id));
    }

    /// <summary>epoll_wait(2), without a time-out, or only what is there already; an interruption is no event.</summary>
    public static int Wait(int poller, Span<PolledEvent> events, bool mayWait)
    {
        int count;
        var timeout = mayWait ? -1 : 0;
        if (PolledEvent.IsPacked)
        {
            fixed (PolledEvent* first = events) count = Result(epoll_wait(poller, first, events.Length, timeout));
            return count == -Interrupted ? 0 : count;
        }
        var aligned = stackalloc AlignedEvent[events.Length];
        count = Result(epoll_wait_aligned(poller, aligned, events.Length, timeout));
        for (var i = 0; i < count; i++) events[i] = new PolledEvent((PollEvents)aligned[i].Events, aligned[i].Id);
        return count == -Interrupted ? 0 : count;
    }

    /// <summary>recv(2).</summary>
    public static int Receive(int socket, Span<byte> buffer)
    {
        fixed (byte* first = buffer) return (int)Result(recv(socket, first, (nuint)buffer.Length, DontWait));
    }

    /// <summary>send(2).</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="bytes">What is sent.</param>
    /// <param name="endFollows">Whether <see cref="ShutdownSending"/> follows at once, so that the last bytes may wait for it and go in one segment with it (MSG_MORE). Where
    /// it does not, they go with the next acknowledgement, or after a time-out for retransmission, 200 ms at least.</param>
    public static int Send(int socket, ReadOnlySpan<byte> bytes, bool endFollows = false)
    {
        fixed (byte* first = bytes) return (int)Result(send(socket, first, (nuint)bytes.Length, DontWait | NoSignal | (endFollows ? More : 0)));
    }

    /// <summary>splice(2): moves bytes between a socket and a pipe without bringing them here.</summary>
    public static int Splice(int from, int to, int count) => (int)Result(splice(from, null, to, null, (nuint)count, SpliceMove | SpliceNonBlocking));

    /// <summary>pipe2(2), and F_SETPIPE_SZ of fcntl(2), which may give less.</summary>
    public static int NewPipe(int bytes, out int readEnd, out int writeEnd)
    {
        var ends = stackalloc int[2];
        var result = Result(pipe2(ends, CloseOnExec | NonBlocking));
        (readEnd, writeEnd) = result < 0 ? (-1, -1) : (ends[0], ends[1]);
        if (result == 0) _ = fcntl(writeEnd, SetPipeSize, bytes);
        return result;
    }

    /// <summary>A second descriptor of the same file: F_DUPFD_CLOEXEC of fcntl(2).</summary>
    public static int Duplicate(int descriptor) => Result(fcntl(descriptor, DuplicateCloseOnExec, 0));

    /// <summary>shutdown(2): nothing more is written.</summary>
    public static int ShutdownSending(int socket) => Result(shutdown(socket, WriteSide));

    /// <summary>shutdown(2): nothing more is read or written.</summary>
    public static int Shutdown(int socket) => Result(shutdown(socket, BothSides));

    /// <summary>connect(2) to an address of the family AF_UNSPEC, which is 0: the connection ends with a reset.</summary>
    public static int Disconnect(int socket)
    {
        var nowhere = stackalloc byte[AddressBytes];
        new Span<byte>(nowhere, AddressBytes).Clear();
        return Result(connect(socket, nowhere, AddressBytes));
    }

    /// <summary>close(2).</summary>
    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Adds to a counter of <see cref="NewEvent"/>: write(2).</summary>
    public static void Signal(int counter)
    {
        var one = 1UL;
        // It can only fail by being full, and then it can be read.
        _ = write(counter, &one, sizeof(ulong));
    }

    /// <summary>Takes what a counter of <see cref="NewEvent"/> has: read(2).</summary>
    public static void Clear(int counter)
    {
        ulong value;
        _ = read(counter, &value, sizeof(ulong));
    }

    private static int ControlAligned(int poller, int operation, int descriptor, PollEvents events, ulong id)
    {
        var change = new AlignedEvent { Events = (uint)events, Id = id };
        return epoll_ctl_aligned(poller, operation, descriptor, &change);
    }

    private static int Result(int value) => value < 0 ? -Marshal.GetLastSystemError() : value;

    private static nint Result(nint value) => value < 0 ? -Marshal.GetLastSystemError() : value;

    [StructLayout(LayoutKind.Sequential)]
    private struct AlignedEvent
    {
        public uint Events;
        public ulong Id;
    }

#pragma warning disable SYSLIB1092, CA5392, IDE1006 // libc is where it always is, and these are its names.
    [LibraryImport("libc")]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc")]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc")]
    private static partial int epoll_ctl(int poller, int operation, int descriptor, PolledEvent* change);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    private static partial int epoll_ctl_aligned(int poller, int operation, int descriptor, AlignedEvent* change);

    [LibraryImport("libc")]
    private static partial int epoll_wait(int poller, PolledEvent* events, int most, int timeout);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    private static partial int epoll_wait_aligned(int poller, AlignedEvent* events, int most, int timeout);

    [LibraryImport("libc")]
    private static partial nint recv(int socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint send(int socket, byte* bytes, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint splice(int from, long* fromOffset, int to, long* toOffset, nuint length, uint flags);

    [LibraryImport("libc")]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int operation, int value);

    [LibraryImport("libc")]
    private static partial int shutdown(int socket, int side);

    [LibraryImport("libc")]
    private static partial int connect(int socket, byte* address, uint length);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, ulong* value, nuint length);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, ulong* value, nuint length);
#pragma warning restore SYSLIB1092, CA5392, IDE1006
}
