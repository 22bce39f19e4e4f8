using System.Security.Authentication;
using ImapDirector.Network;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Login;

/// <summary>TLS handshakes with clients: each within its time, and only so many begun at once, for each is the most expensive thing that a stranger
/// can ask for (limits P10).</summary>
/// <param name="certificate">What clients are shown.</param>
/// <param name="timeout">How long one may take, the wait for its turn included.</param>
/// <param name="atOnce">How many may be at work.</param>
internal sealed class ServerHandshake(ServerCertificate certificate, TimeSpan timeout, int atOnce) : IDisposable
{
    // One that takes longer waits for its client and costs no processor time: it makes room, or a few silent clients would shut the door.
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turns = new(atOnce);

    /// <summary>Four for each core.</summary>
    public ServerHandshake(ServerCertificate certificate, TimeSpan timeout) : this(certificate, timeout, 4 * Environment.ProcessorCount)
    {
    }

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
            await _turns.WaitAsync(limit.Token);
            Task handshake;
            try
            {
                handshake = client.StartTlsServerAsync(certificate, limit.Token, keepUnread);
                await handshake.WaitAsync(LongestTurn, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                _turns.Release();
            }
            await handshake;
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new SessionEndedException(SessionEnd.TlsFailed, failed);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _turns.Dispose();
}
