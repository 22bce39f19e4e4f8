using System.Net;
using System.Net.Sockets;
using ImapDirector.Network;
using ImapDirector.Network.Polling;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Two ends of a connection on loopback: ours, and a client's in the hands of the test.</summary>
internal sealed class ConnectionPair(Connection server, ImapConversation client) : IAsyncDisposable
{
    public Connection Server { get; } = server;

    public ImapConversation Client { get; } = client;

    /// <param name="loop">The loop that watches our end; with none the runtime does.</param>
    public static async Task<ConnectionPair> CreateAsync(PollLoop? loop = null)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        if (loop is not null)
        {
            // Who has connected makes no difference to what is tested with it.
            var ours = Connection.ConnectAsync(listener.LocalEndpoint, CancellationToken.None, loop);
            return new ConnectionPair(await ours, new ImapConversation(await listener.AcceptTcpClientAsync()));
        }
        var client = await ImapConversation.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        return new ConnectionPair(new Connection(await listener.AcceptSocketAsync()), client);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
