using System.Net;
using ImapDirector.Network;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations;

/// <summary>The places of a listener. Kestrel's own limit asks nobody to make room, knows no addresses, and writes a line for each that comes too late.</summary>
/// <param name="protocol">What it speaks, for the log.</param>
/// <param name="mostOfAnAddress">Strangers from one IPv4 address or IPv6 /64.</param>
/// <param name="logger">Where it is told that there is none.</param>
internal sealed partial class ConnectionPlaces(string protocol, int mostOfAnAddress, ILogger<ConnectionPlaces> logger)
{
    /// <summary>Connections at once.</summary>
    public const int Most = 100;

    private readonly ConnectionLimits _limits = new(Most, mostOfAnAddress);
    private readonly LogBudget _full = new(TimeProvider.System);

    /// <summary>Gives a connection a place: a stranger's, until it is <see cref="ConnectionLimits.Permit.Authenticated"/>. Where all are taken, the stranger who came first makes room.</summary>
    /// <returns><c>null</c> where there is none; the connection ends then.</returns>
    public ConnectionLimits.Permit? TryTake(ConnectionContext connection)
    {
        var peer = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        if (_limits.TryEnter(peer, connection.Abort) is { } place) return place;
        if (_full.TryTake(out var leftOut)) Log.Full(logger, protocol, peer, leftOut);
        connection.Abort();
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(4306, LogLevel.Warning, "There is no place for another connection of {Protocol} from {Peer} ({LeftOut} more such lines before were left out)")]
        public static partial void Full(ILogger logger, string protocol, IPAddress peer, long leftOut);
    }
}
