using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Network.Tests;

/// <summary>Both ends of one loopback connection.</summary>
internal sealed class SocketPair : IAsyncDisposable
{
    private SocketPair(Connection server, Connection client) => (Server, Client) = (server, client);

    public Connection Server { get; }

    public Connection Client { get; }

    public static async Task<SocketPair> ConnectAsync(int readAhead = Connection.DefaultReadAhead)
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        var accepting = listening.AcceptAsync();
        var client = await Connection.ConnectAsync(listening.LocalEndPoint!, CancellationToken.None);
        return new SocketPair(new Connection(await accepting, Connection.ReaderOptions(readAhead)), client);
    }

    public async ValueTask DisposeAsync()
    {
        Server.Abort();
        Client.Abort();
        await Server.DisposeAsync();
        await Client.DisposeAsync();
    }
}
