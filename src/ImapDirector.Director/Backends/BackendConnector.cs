using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using ImapDirector.Network;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Backends;

/// <summary>Connects to a node and logs a user in there, within the limits of time and tries (limits R2).</summary>
internal sealed partial class BackendConnector(DirectorOptions options, DirectorMetrics metrics, ILogger<BackendConnector> logger)
{
    // A node that restarts refuses connections for a moment: it is tried again after these pauses.
    private static readonly TimeSpan[] PausesBeforeRetry = [TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1)];

    /// <summary>Logs <paramref name="user"/> in at <paramref name="node"/>.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<BackendLogin> LogInAsync(BackendNode node, UserName user, ForwardedClient client, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.BackendLoginTimeout);
        for (var attempt = 0; ; attempt++)
        {
            var started = Stopwatch.GetTimestamp();
            var (login, mayRetry) = await TryLogInAsync(node, user, client, limit.Token, cancellationToken);
            metrics.BackendConnects.WithLabels(node.Name, login.Session is null ? MetricLabel.Of(login.Failure) : "ok").Inc();
            if (login.Session is not null) return login;
            Log.Failed(logger, client.SessionId, node.Name, user.Value, login.Failure, Stopwatch.GetElapsedTime(started).TotalMilliseconds, attempt + 1);
            if (!mayRetry || attempt == PausesBeforeRetry.Length) return login;
            try
            {
                await Task.Delay(PausesBeforeRetry[attempt], limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return login;
            }
        }
    }

    private async Task<(BackendLogin Login, bool MayRetry)> TryLogInAsync(BackendNode node, UserName user, ForwardedClient client,
        CancellationToken limit, CancellationToken cancellationToken)
    {
        var (failure, connection) = await ConnectAsync(node, limit, cancellationToken);
        if (connection is null) return (new BackendLogin(failure, null), failure is BackendFailure.Refused or BackendFailure.Reset);
        var dialogue = new BackendDialogue(connection, node, user, client);
        var isLoggedIn = false;
        try
        {
            failure = await dialogue.LogInAsync(limit);
            isLoggedIn = failure == BackendFailure.None;
            if (isLoggedIn) return (new BackendLogin(failure, new BackendSession(connection, dialogue.Capabilities)), false);
        }
        catch (AuthenticationException untrusted)
        {
            Log.TlsFailed(logger, client.SessionId, node.Name, untrusted.Message);
            failure = BackendFailure.TlsFailed;
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            failure = BackendFailure.Reset;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            failure = BackendFailure.LoginTimeout;
        }
        finally
        {
            if (!isLoggedIn) await connection.DisposeAsync();
        }
        return (new BackendLogin(failure, null), failure is BackendFailure.Reset && !dialogue.HasSentCredentials);
    }

    private async Task<(BackendFailure Failure, Connection? Connection)> ConnectAsync(BackendNode node, CancellationToken limit, CancellationToken cancellationToken)
    {
        using var connecting = CancellationTokenSource.CreateLinkedTokenSource(limit);
        connecting.CancelAfter(options.BackendConnectTimeout);
        try
        {
            return (BackendFailure.None, await Connection.ConnectAsync(EndPointOf(node), connecting.Token));
        }
        catch (SocketException failed)
        {
            return (FailureOf(failed.SocketErrorCode), null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (BackendFailure.ConnectTimeout, null);
        }
    }

    /// <summary>Where a node's IMAP is.</summary>
    public static EndPoint EndPointOf(BackendNode node) =>
        IPAddress.TryParse(node.Host, out var address) ? new IPEndPoint(address, node.ImapPort) : new DnsEndPoint(node.Host, node.ImapPort);

    private static BackendFailure FailureOf(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => BackendFailure.Refused,
        // Reset between the handshake and the first look at it, a connection is found to be none.
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NotConnected => BackendFailure.Reset,
        SocketError.TimedOut => BackendFailure.ConnectTimeout,
        _ => BackendFailure.Unreachable,
    };

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Warning, "{ConnectionId} login of {User} at node {Node} failed: {Failure} after {Milliseconds:F0} ms, attempt {Attempt}")]
        public static partial void Failed(ILogger logger, string connectionId, string node, string user, BackendFailure failure, double milliseconds, int attempt);

        [LoggerMessage(3302, LogLevel.Error, "{ConnectionId} no trust in node {Node}: {Reason}")]
        public static partial void TlsFailed(ILogger logger, string connectionId, string node, string reason);
    }
}
