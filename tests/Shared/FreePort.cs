using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Tests.Shared;

/// <summary>Ports for servers of tests that have to know theirs before they listen.</summary>
internal static class FreePort
{
    // Below those that the system gives to outgoing connections and to listeners that ask for any (net.ipv4.ip_local_port_range): one of these does not take it meanwhile.
    private const int First = 10_000, Behind = 32_000;

    private static readonly HashSet<int> Given = [];

    /// <summary>A TCP port of loopback that nobody listens at, and that this process was not given before.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Behind);
            lock (Given)
            {
                if (!Given.Add(port)) continue;
            }
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody else's.
            }
        }
    }
}
