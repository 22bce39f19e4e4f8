using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Tests.Shared;

/// <summary>Ports for servers of tests that have to know theirs before they listen.</summary>
internal static class FreePort
{
    // Below those that the system gives to outgoing connections and to listeners that ask for any (net.ipv4.ip_local_port_range): one of these does not take it meanwhile.
    private const int First = 10_000, Behind = 32_000;

    private static readonly string Folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"imapdirector-test-ports-{Environment.UserName}")).FullName;

    // Open as long as this process lives: those of other test projects, which run beside it, take other ports then.
    private static readonly Dictionary<int, FileStream> Given = [];

    // Closed they are deleted as well.
    static FreePort() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        lock (Given)
            foreach (var file in Given.Values) file.Dispose();
    };

    /// <summary>A TCP port of loopback that nobody listens at, and that no test was given before which may still use it.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Behind);
            if (!TryTake(port)) continue;
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

    private static bool TryTake(int port)
    {
        lock (Given)
        {
            if (Given.ContainsKey(port)) return false;
            try
            {
                Given[port] = new FileStream(Path.Combine(Folder, $"{port}"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }
    }
}
