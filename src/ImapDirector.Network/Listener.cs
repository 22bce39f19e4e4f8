using System.Net;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Network;

/// <summary>Accepts connections on one address and runs a handler for each; refuses above its limits, and can be drained.</summary>
/// <param name="name">How logs and metrics call it: <c>imap</c>, <c>imaps</c>, <c>lmtp</c>.</param>
/// <param name="endPoint">Where to listen; port 0 takes a free one.</param>
/// <param name="limits">How many connections, in all and from one address; one object may serve several listeners.</param>
/// <param name="handler">Serves a connection. It owns it until it returns; the listener disposes it then. The token fires
/// when a drain begins: say BYE and return.</param>
/// <param name="logger">Where errors of accept and of handlers go.</param>
public sealed class Listener(string name, IPEndPoint endPoint, ConnectionLimits limits,
    Func<Connection, CancellationToken, Task> handler, ILogger logger) : IAsyncDisposable
{
    /// <summary>Binds and begins to accept.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address is taken or not ours.</exception>
    public void Start() => throw new NotImplementedException();

    /// <summary>Where it listens, with the port it got.</summary>
    public IPEndPoint LocalEndPoint => throw new NotImplementedException();

    /// <summary>Connections being served now.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>Stops accepting, fires the handlers' token, waits until they have returned or <paramref name="timeout"/> has
    /// passed, then aborts what is left.</summary>
    public Task DrainAsync(TimeSpan timeout) => throw new NotImplementedException();

    /// <summary>Drains with no patience.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>Counts connections by address (IPv6 by /64) and in all (limits P12). The caller releases a connection from
/// the per-address count once it has authenticated.</summary>
public sealed class ConnectionLimits
{
    /// <summary>Makes the counters.</summary>
    /// <param name="maxConnections">In all, 1 to 1,000,000.</param>
    /// <param name="maxPerAddress">Not yet authenticated, from one IPv4 address or IPv6 /64.</param>
    public ConnectionLimits(int maxConnections, int maxPerAddress) => throw new NotImplementedException();

    /// <summary>Counts a connection in; <c>null</c> when it is one too many.</summary>
    public Permit? TryEnter(IPAddress address) => throw new NotImplementedException();

    /// <summary>One counted connection.</summary>
    public sealed class Permit : IDisposable
    {
        /// <summary>The client has authenticated: it no longer counts against its address.</summary>
        public void Authenticated() => throw new NotImplementedException();

        /// <summary>The connection is gone.</summary>
        public void Dispose() => throw new NotImplementedException();
    }
}
