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
    // What is still to be said to a session that has to go is a few lines.
    private static readonly TimeSpan FencedWriteTimeout = TimeSpan.FromSeconds(2);

    private readonly ClientFacts _client = new();
    private UserName? _user;
    private UserMailLease? _lease;

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
            // Only now is the session over, for those who wait for the user's last one.
            if (_lease is not null) await _lease.DisposeAsync();
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
            _lease = await login.RunAsync();
            if (_lease is null) return await FarewellAsync(output, login.End);
            var mail = _lease.Mail;
            _user = mail.Store.User;
            Log.LoggedIn(services.Logger, connection.Id, _client.SessionId, mail.Store.User.Value, _client.OriginatingIp, mail.Store.Fence?.Epoch ?? 0);
            using var fenced = mail.Fenced.UnsafeRegister(_ =>
            {
                patience.Fence();
                output.Hurry(FencedWriteTimeout);
            }, null);
            await using var session = new MailSession(connection, output, patience, services, mail);
            return await FarewellAsync(output, Last(await session.RunAsync(), patience));
        }
        catch (SessionEndedException ended) when (!output.InLiteral)
        {
            return await FarewellAsync(output, Last(ended.Reason, patience));
        }
        catch (OperationCanceledException) when (patience.IsInterrupted)
        {
            return await FarewellAsync(output, patience.End);
        }
    }

    /// <summary>When a user goes elsewhere, that ends first what sessions have selected.</summary>
    private static SessionEnd Last(SessionEnd end, SessionPatience patience) => end == SessionEnd.MailboxDeleted && patience.IsFenced ? SessionEnd.Fenced : end;

    /// <summary>Says BYE, where it was not said with LOGOUT, and where somebody still listens.</summary>
    private static async ValueTask<SessionEnd> FarewellAsync(ResponseStream output, SessionEnd end)
    {
        var farewell = end switch
        {
            SessionEnd.Idle => "Disconnected for inactivity.",
            SessionEnd.Fenced => "The mail is served elsewhere now, please connect again.",
            SessionEnd.Drained => "The server is shutting down.",
            SessionEnd.Misbehaved => "Too many bad commands.",
            SessionEnd.LoginFailed => "Too many failed logins.",
            SessionEnd.LoginTimeout => "Login took too long.",
            SessionEnd.MailboxDeleted => "The selected mailbox was deleted.",
            SessionEnd.StoreFailed => "The mail cannot be reached.",
            _ => null,
        };
        if (farewell is null) return end;
        output.Status("*", ImapStatus.Bye, end is SessionEnd.Drained or SessionEnd.Fenced or SessionEnd.StoreFailed ? "UNAVAILABLE" : "", farewell);
        await output.FlushAsync();
        return end;
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "{ConnectionId}: logged in, session {SessionId}, user {User}, client {OriginatingIp}, epoch {Epoch}")]
        public static partial void LoggedIn(ILogger logger, string connectionId, string? sessionId, string user, string? originatingIp, long epoch);

        [LoggerMessage(1002, LogLevel.Information, "{ConnectionId}: ended, session {SessionId}, user {User}, client {OriginatingIp}, reason {Reason}")]
        public static partial void Ended(ILogger logger, string connectionId, string? sessionId, string? user, string? originatingIp, SessionEnd reason);

        [LoggerMessage(1003, LogLevel.Information, "{ConnectionId}: TLS handshake failed: {Reason}")]
        public static partial void TlsFailed(ILogger logger, string connectionId, string reason);
    }
}
