using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>What a descriptor is ready for, or is to be watched for (epoll_ctl(2)). <see cref="Error"/> and <see cref="HangUp"/> are always told.</summary>
[Flags]
public enum PollEvents : uint
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>There are bytes to read, or their end (EPOLLIN).</summary>
    Readable = 1,
    /// <summary>Bytes can be written (EPOLLOUT).</summary>
    Writable = 4,
    /// <summary>Something went wrong (EPOLLERR).</summary>
    Error = 8,
    /// <summary>Both sides have closed (EPOLLHUP).</summary>
    HangUp = 16,
    /// <summary>The other side has closed its own (EPOLLRDHUP).</summary>
    ReadHangUp = 0x2000,
    /// <summary>Of several loops that wait for the same descriptor few are told (EPOLLEXCLUSIVE).</summary>
    Exclusive = 1u << 28,
    /// <summary>Told once each time it happens, instead of as long as it lasts (EPOLLET).</summary>
    EdgeTriggered = 1u << 31,
}

/// <summary>One event of epoll_wait(2), as the kernel lays it out on x86-64; elsewhere it is copied.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly struct PolledEvent(PollEvents events, ulong id)
{
    public static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public readonly PollEvents Events = events;
    public readonly ulong Id = id;
}
