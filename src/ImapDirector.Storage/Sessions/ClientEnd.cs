using System.Net.Sockets;

namespace ImapDirector.Storage.Sessions;

/// <summary>What the system knows of the client's end of a connection.</summary>
internal enum ClientEnd
{
    Open,

    /// <summary>The client sends nothing more. It may still be reading.</summary>
    Closing,

    Gone,
}

/// <summary>Asks the system after the client's end, without reading: what was sent stays where it is.</summary>
internal static class ClientEnds
{
    // From linux/tcp.h and net/tcp_states.h; .NET names none of them.
    private const int IpProtoTcp = 6;
    private const int TcpInfo = 11;
    private const byte Closed = 7;
    private const byte CloseWait = 8;

    /// <exception cref="SocketException">The socket is none of TCP.</exception>
    /// <exception cref="ObjectDisposedException">The connection was aborted.</exception>
    public static ClientEnd Find(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return ClientEnd.Open;
        // The state is the first byte of what there is to know.
        Span<byte> state = stackalloc byte[1];
        socket.GetRawSocketOption(IpProtoTcp, TcpInfo, state);
        return state[0] switch
        {
            Closed => ClientEnd.Gone,
            CloseWait => ClientEnd.Closing,
            _ => ClientEnd.Open,
        };
    }
}
