using System.Net;
using System.Security.Authentication;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Storage.Sessions;

/// <summary>The way of a connection at the node: greeting, login, commands, farewell, one line in the log.</summary>
internal sealed partial class ImapSession(Connection connection, SessionServices services, CancellationToken drain)
{
    private readonly ClientFacts _client = new();
    private UserName? _user;

    /// <summary>Serves the connection until it ends; whoever accepted it disposes it. Whatever goes wrong with one session is caught here.</summary>
    public async Task RunAsync()
    {
        using var counted = services.Metrics.Sessions.TrackInProgress();
        var reason = SessionEnd.Failed;
        try
        {
            reason = await ServeAsync();
        }
        catch (SessionEndedException ended)
        {
            reason = ended.Reason;
        }
        catch (AuthenticationException failed)
        {
            Log.TlsFailed(services.Logger, connection.Id, failed.Message);
            reason = SessionEnd.TlsFailed;
        }
        catch (Exception broken) when (broken is IOException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            reason = SessionEnd.Disconnected;
        }
        finally
        {
            Log.Ended(services.Logger, connection.Id, _client.SessionId, _user?.Value, _client.OriginatingIp, reason);
        }
    }

    private async Task<SessionEnd> ServeAsync()
    {
        if (!AddressList.IsTrusted(services.Options.TrustedNetworks, connection.RemoteEndPoint.Address)) return SessionEnd.NotAllowed;
        using var output = new ResponseStream(connection, services.Options.WriteTimeout);
        using var patience = new SessionPatience(drain);
        try
        {
            var login = new LoginDialogue(connection, output, patience, services, _client);
            if (await login.RunAsync() is not { } lease) return await FarewellAsync(output, login.End);
            await using (lease)
            {
                _user = lease.Mail.Store.User;
                Log.LoggedIn(services.Logger, connection.Id, _client.SessionId, lease.Mail.Store.User.Value, _client.OriginatingIp);
                await using var session = new MailSession(connection, output, patience, services, lease.Mail);
                return await FarewellAsync(output, await session.RunAsync());
            }
        }
        catch (SessionEndedException ended) when (!output.InLiteral)
        {
            return await FarewellAsync(output, ended.Reason);
        }
        catch (OperationCanceledException) when (patience.IsDraining)
        {
            return await FarewellAsync(output, SessionEnd.Drained);
        }
    }

    /// <summary>Says BYE, where it was not said with LOGOUT, and where somebody still listens.</summary>
    private static async ValueTask<SessionEnd> FarewellAsync(ResponseStream output, SessionEnd end)
    {
        var farewell = end switch
        {
            SessionEnd.Idle => "Disconnected for inactivity.",
            SessionEnd.Drained => "The server is shutting down.",
            SessionEnd.Misbehaved => "Too many bad commands.",
            SessionEnd.LoginFailed => "Too many failed logins.",
            SessionEnd.LoginTimeout => "Login took too long.",
            SessionEnd.MailboxDeleted => "The selected mailbox was deleted.",
            SessionEnd.StoreFailed => "The mail cannot be reached.",
            _ => null,
        };
        if (farewell is null) return end;
        output.Status("*", ImapStatus.Bye, end is SessionEnd.Drained or SessionEnd.StoreFailed ? "UNAVAILABLE" : "", farewell);
        await output.FlushAsync();
        return end;
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "{ConnectionId}: logged in, session {SessionId}, user {User}, client {OriginatingIp}")]
        public static partial void LoggedIn(ILogger logger, string connectionId, string? sessionId, string user, string? originatingIp);

        [LoggerMessage(1002, LogLevel.Information, "{ConnectionId}: ended, session {SessionId}, user {User}, client {OriginatingIp}, reason {Reason}")]
        public static partial void Ended(ILogger logger, string connectionId, string? sessionId, string? user, string? originatingIp, SessionEnd reason);

        [LoggerMessage(1003, LogLevel.Information, "{ConnectionId}: TLS handshake failed: {Reason}")]
        public static partial void TlsFailed(ILogger logger, string connectionId, string reason);
    }
}
