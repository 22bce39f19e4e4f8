using System.Security.Authentication;
using ImapDirector.Network;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Login;

/// <summary>TLS handshakes with clients, each within its time (limits P10).</summary>
/// <param name="certificate">What clients are shown.</param>
/// <param name="timeout">How long one may take, the wait for its turn included.</param>
internal sealed class ServerHandshake(ServerCertificate certificate, TimeSpan timeout)
{
    /// <summary>Shakes hands.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="keepUnread">Whether what was read and not consumed belongs to the handshake, as where TLS comes first; behind STARTTLS it came in the
    /// clear and is thrown away.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SessionEndedException">It failed or took too long.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task RunAsync(Connection client, bool keepUnread, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            await client.StartTlsServerAsync(certificate, limit.Token, keepUnread);
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new SessionEndedException(SessionEnd.TlsFailed, failed);
        }
    }
}
