using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Polling;

namespace ImapDirector.Network.Tests;

/// <summary>Both ends of one loopback connection.</summary>
internal sealed class SocketPair : IAsyncDisposable
{
    private SocketPair(Connection server, Connection client) => (Server, Client) = (server, client);

    public Connection Server { get; }

    public Connection Client { get; }

    /// <param name="readAhead">How much the server's end reads at once.</param>
    /// <param name="loop">The loop that watches the server's end; with none the runtime does.</param>
    public static async Task<SocketPair> ConnectAsync(int readAhead = Connection.DefaultReadAhead, PollLoop? loop = null)
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        var accepting = listening.AcceptAsync();
        var connected = await Connection.ConnectAsync(listening.LocalEndPoint!, CancellationToken.None, loop);
        // Who has connected makes no difference to what is tested on a loop.
        return loop is null ? new SocketPair(new Connection(await accepting, Connection.ReaderOptions(readAhead)), connected) : new SocketPair(connected, new Connection(await accepting));
    }

    public async ValueTask DisposeAsync()
    {
        Server.Abort();
        Client.Abort();
        await Server.DisposeAsync();
        await Client.DisposeAsync();
    }
}
