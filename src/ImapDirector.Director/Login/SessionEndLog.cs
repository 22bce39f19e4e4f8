using System.Diagnostics;
using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Login;

/// <summary>The one line that each finished session leaves (docs/log-reasons.md).</summary>
internal static partial class SessionEndLog
{
    /// <param name="logger">Where it goes.</param>
    /// <param name="client">The client's connection.</param>
    /// <param name="end">How it has ended.</param>
    /// <param name="facts">What there is to say of it.</param>
    /// <param name="began">When the client came, by <see cref="Stopwatch.GetTimestamp"/>.</param>
    public static void Write(ILogger logger, Connection client, SessionEnd end, SessionFacts facts, long began)
    {
        var milliseconds = (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        if (facts.Master is { } master) MasterEnded(logger, client.Id, end.Code(), facts.User, master, facts.Node, client.RemoteEndPoint, facts.BytesToNode, facts.BytesToClient, milliseconds);
        else Ended(logger, client.Id, end.Code(), facts.User.ToString(), facts.Node, client.RemoteEndPoint, facts.BytesToNode, facts.BytesToClient, milliseconds);
    }

    [LoggerMessage(3401, LogLevel.Information, "{ConnectionId} {Code} user={User} node={Node} client={Client} in={BytesToNode} out={BytesToClient} ms={Milliseconds}")]
    private static partial void Ended(ILogger logger, string connectionId, string code, string user, string? node, IPEndPoint client,
        long bytesToNode, long bytesToClient, long milliseconds);

    [LoggerMessage(3413, LogLevel.Information, "{ConnectionId} {Code} user={User} master={Master} node={Node} client={Client} in={BytesToNode} out={BytesToClient} ms={Milliseconds}")]
    private static partial void MasterEnded(ILogger logger, string connectionId, string code, UserName user, UserName master, string? node, IPEndPoint client,
        long bytesToNode, long bytesToClient, long milliseconds);

    [LoggerMessage(3404, LogLevel.Error, "{ConnectionId} a fault ended the session")]
    public static partial void Fault(ILogger logger, string connectionId, Exception exception);
}

/// <summary>What the line says of a session.</summary>
/// <param name="User">Whose; the default where nobody has logged in.</param>
/// <param name="Master">Who has logged in as the user, where it was not the user.</param>
/// <param name="Node">Where it was.</param>
/// <param name="BytesToNode">Bytes passed to the node.</param>
/// <param name="BytesToClient">Bytes passed to the client.</param>
internal readonly record struct SessionFacts(UserName User, UserName? Master, string? Node, long BytesToNode, long BytesToClient);
