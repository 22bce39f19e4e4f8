using System.Net.Sockets;

namespace ImapDirector.Storage.Sessions;

/// <summary>Acknowledges at once what has been read. A client that writes a literal and the CRLF behind it separately, with Nagle's algorithm
/// on, holds the CRLF back until the literal is acknowledged, and Linux takes 40 ms for that: measured, 44 ms for each APPEND instead of 1.</summary>
internal static class PromptAcknowledgement
{
    // From linux/tcp.h; .NET names neither.
    private const int IpProtoTcp = 6;
    private const int TcpQuickAck = 12;

    public static void Send(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return;
        socket.SetRawSocketOption(IpProtoTcp, TcpQuickAck, BitConverter.GetBytes(1));
    }
}
