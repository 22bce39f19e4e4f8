using System.Security.Authentication;
using ImapDirector.Network;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Login;

/// <summary>The TLS handshake with a client, within its time (limits P10).</summary>
internal static class ServerHandshake
{
    /// <exception cref="SessionEndedException">It failed or took too long.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public static async Task RunAsync(Connection client, ServerCertificate certificate, TimeSpan timeout, bool keepUnread,
        CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            await client.StartTlsServerAsync(certificate.ServerOptions, limit.Token, keepUnread);
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new SessionEndedException(SessionEnd.TlsFailed, failed);
        }
    }
}
