using System.Net;
using System.Net.Sockets;
using ImapDirector.Network;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Two ends of a connection on loopback: ours, and a client's in the hands of the test.</summary>
internal sealed class ConnectionPair(Connection server, ImapConversation client) : IAsyncDisposable
{
    public Connection Server { get; } = server;

    public ImapConversation Client { get; } = client;

    public static async Task<ConnectionPair> CreateAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = await ImapConversation.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        return new ConnectionPair(new Connection(await listener.AcceptSocketAsync()), client);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
