using System.Net;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using RESPite.Transports;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

#pragma warning disable SER009 // As with RedisTransport.

namespace ImapDirector.Director.Directory;

/// <summary>Has the Redis library's connections watched by a loop. Those that are not TCP's stay the library's own; TLS is not for it.</summary>
/// <param name="loop">The loop; nothing else may be on it that takes long.</param>
/// <param name="patience">For how long a connection may be being made.</param>
internal sealed class RedisTunnel(PollLoop loop, TimeSpan patience) : Tunnel
{
    /// <inheritdoc />
    /// <exception cref="IOException">Redis cannot be reached in time.</exception>
    public override async ValueTask<DuplexTransport?> ConnectTransportAsync(EndPoint endpoint, ConnectionType connectionType, TlsOptions tls, CancellationToken cancellationToken)
    {
        if (endpoint is not (IPEndPoint or DnsEndPoint)) return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            return new RedisTransport(await Connection.ConnectAsync(endpoint, limit.Token, loop), loop);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("Redis did not take the connection in time.", late);
        }
    }
}
