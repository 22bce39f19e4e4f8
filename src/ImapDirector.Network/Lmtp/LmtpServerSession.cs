using Microsoft.Extensions.Logging;

namespace ImapDirector.Network.Lmtp;

/// <summary>One LMTP connection (RFC 2033), from the greeting to QUIT.</summary>
/// <param name="connection">The connection; whoever accepted it disposes it.</param>
/// <param name="handler">What stands behind it.</param>
/// <param name="options">Its settings.</param>
/// <param name="logger">Where its lines go.</param>
public sealed class LmtpServerSession(Connection connection, ILmtpHandler handler, LmtpServerOptions options, ILogger logger)
{
    /// <summary>Serves the connection until it ends; never throws for what the peer did. When <paramref name="drain"/> fires, a delivery that
    /// has begun is finished and the peer is told <c>421</c>.</summary>
    public Task RunAsync(CancellationToken drain) => throw new NotImplementedException();
}

/// <summary>Settings of an <see cref="LmtpServerSession"/>.</summary>
/// <param name="ServerName">How it calls itself.</param>
/// <param name="MaxMessageBytes">The largest message, in bytes (limits N5).</param>
/// <param name="SpoolDirectory">Where large messages wait while they come in.</param>
public sealed record LmtpServerOptions(string ServerName, long MaxMessageBytes, string SpoolDirectory);
