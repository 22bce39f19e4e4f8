using System.Buffers;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Sessions;

/// <summary>From the greeting to a user's mail: the not-authenticated state (RFC 3501 section 3.1). Directors log in with an assertion about the
/// user (OAUTHBEARER), or with SASL PLAIN, their own credentials as the authentication identity and the user as the authorization identity; nobody else logs in.</summary>
internal sealed partial class LoginDialogue(Connection connection, ResponseStream output, SessionPatience patience, SessionServices services,
    ClientFacts client)
{
    private const int MaxBadCommands = 3;
    private const int MaxCommands = 100;
    private const int MaxFailures = 3;
    private const int MaxDepth = 1;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly bool _tlsRequired =
        services.Options.RequireTls && !AddressList.Contains(services.Options.PlainTextNetworks, connection.RemoteEndPoint.Address);

    private ImapCommandReader _reader = null!;
    private int _failures;
    private int _bad;

    /// <summary>Why there was no login, once <see cref="RunAsync"/> has returned <c>null</c>.</summary>
    public SessionEnd End { get; private set; }

    /// <summary>Greets and answers until somebody has logged in.</summary>
    /// <returns>The user's mail, or <c>null</c>.</returns>
    public async Task<UserMailLease?> RunAsync()
    {
        patience.Begin(services.Options.LoginTimeout);
        _reader = NewReader();
        output.Status("*", ImapStatus.Ok, "CAPABILITY " + Offer(Capabilities.Greeting), "ImapDirector node ready.");
        await output.FlushAsync();
        try
        {
            for (var commands = 0; commands < MaxCommands; commands++)
            {
                var frame = await _reader.ReadAsync(patience.Token);
                var (go, lease) = await AnswerAsync(frame);
                try
                {
                    await output.FlushAsync();
                }
                catch
                {
                    if (lease is not null) await lease.DisposeAsync();
                    throw;
                }
                if (lease is not null)
                {
                    patience.Pause();
                    return lease;
                }
                if (!go) return null;
                if (_bad >= MaxBadCommands) break;
            }
            End = SessionEnd.Misbehaved;
            return null;
        }
        catch (OperationCanceledException) when (patience.Token.IsCancellationRequested && !patience.IsDraining)
        {
            End = SessionEnd.LoginTimeout;
            return null;
        }
    }

    /// <param name="whole">Tells what is offered where one may log in, with TLS to be had or not.</param>
    private string Offer(Func<StorageNodeOptions, bool, string> whole) => (connection.IsSecure, services.Certificate is not null, _tlsRequired) switch
    {
        (false, true, true) => Capabilities.NeedsTls,
        (false, false, true) => Capabilities.Locked,
        var (isSecure, hasTls, _) => whole(services.Options, hasTls && !isSecure),
    };

    private ImapCommandReader NewReader() => new(connection.Input, CommandLimits.BeforeLogin, _ =>
    {
        output.Raw("+ OK\r\n"u8);
        return output.FlushAsync();
    });

    private async ValueTask<(bool Go, UserMailLease? Lease)> AnswerAsync(CommandFrame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.EndOfStream:
                return Stop(SessionEnd.Disconnected);
            case FrameKind.Flood:
                return Stop(SessionEnd.Misbehaved);
            case FrameKind.LineTooLong:
                Bad(frame.Tag, "Too long a line.");
                return Stop(SessionEnd.Misbehaved);
            case FrameKind.LiteralTooBig:
                Bad(frame.Tag, "Too big a literal.");
                return (true, null);
        }
        if (!ImapCommandParser.TryParse(frame.Bytes, new ParseOptions(Utf8Names: false, MaxDepth), out var command, out var error))
        {
            Bad(error.Tag, error.Reason);
            return (true, null);
        }
        var tag = command.Tag;
        switch (command)
        {
            case CapabilityCommand:
                Capabilities.Write(output, Offer(Capabilities.BeforeLogin));
                Ok(tag, "Capability completed.");
                break;
            case NoopCommand:
                Ok(tag, "Noop completed.");
                break;
            case IdCommand id:
                client.Learn(id.Fields);
                output.Raw("* ID (\"name\" \"ImapDirector\")\r\n"u8);
                Ok(tag, "ID completed.");
                break;
            case LogoutCommand:
                output.Status("*", ImapStatus.Bye, "", "Logging out");
                Ok(tag, "Logout completed.");
                return Stop(SessionEnd.LoggedOut);
            case StartTlsCommand:
                await StartTlsAsync(tag);
                break;
            case LoginCommand:
                return await FailAsync(tag, "LOGIN");
            case AuthenticateCommand authenticate:
                return await AuthenticateAsync(authenticate);
            default:
                Bad(tag, "Log in first.");
                break;
        }
        return (true, null);
    }

    private async ValueTask StartTlsAsync(string tag)
    {
        if (connection.IsSecure || services.Certificate is not { } certificate)
        {
            Bad(tag, connection.IsSecure ? "TLS is already active." : "There is no TLS here.");
            return;
        }
        output.Status(tag, ImapStatus.Ok, "", "Begin TLS negotiation now.");
        await output.FlushAsync();
        using var handshake = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
        handshake.CancelAfter(HandshakeTimeout);
        try
        {
            await connection.StartTlsServerAsync(certificate, handshake.Token);
        }
        catch (OperationCanceledException late) when (!patience.Token.IsCancellationRequested)
        {
            throw new SessionEndedException(SessionEnd.TlsFailed, late);
        }
        // A new reader: nothing that was read in the clear may be answered now (limits P21), and nothing that was said in it counts.
        _reader = NewReader();
        client.Forget();
    }

    private async ValueTask<(bool, UserMailLease?)> AuthenticateAsync(AuthenticateCommand command)
    {
        if (_tlsRequired && !connection.IsSecure)
        {
            output.Status(command.Tag, ImapStatus.No, "PRIVACYREQUIRED", "TLS first.");
            _bad++;
            return (true, null);
        }
        if (!(command.Mechanism switch
        {
            "PLAIN" => services.Options.MasterPassword is not null,
            "OAUTHBEARER" => services.Assertions is not null,
            _ => false,
        }))
        {
            output.Status(command.Tag, ImapStatus.No, "CANNOT", "Unsupported mechanism.");
            _bad++;
            return (true, null);
        }
        var response = command.InitialResponse;
        if (response is null)
        {
            output.Raw("+ \r\n"u8);
            await output.FlushAsync();
            var line = await _reader.ReadLineAsync(patience.Token);
            if (line.Kind is FrameKind.EndOfStream) return Stop(SessionEnd.Disconnected);
            if (line.Kind is not FrameKind.Command)
            {
                Bad(command.Tag, "Too long a response.");
                return Stop(SessionEnd.Misbehaved);
            }
            response = line.Bytes.ToArray();
            if (response is [(byte)'*'])
            {
                Bad(command.Tag, "Authentication cancelled.");
                return (true, null);
            }
        }
        // The reader's copy of the password need not outlive its use either.
        _reader.ForgetFrame();
        if (FindUser(command.Mechanism, response, out var epoch) is not { } user) return await FailAsync(command.Tag, command.Mechanism);
        return await EnterAsync(command.Tag, user, epoch);
    }

    private UserName? FindUser(string mechanism, byte[] response, out long? epoch)
    {
        epoch = null;
        if (mechanism == "PLAIN") return MasterLogin.FindUser(response, services.Options);
        if (services.Assertions!.Find(response, connection.Id) is not { } assertion) return null;
        client.Learn(assertion);
        // Health checks log in at every node, and know of no assignment.
        epoch = assertion.Epoch == 0 ? null : assertion.Epoch;
        return assertion.Subject;
    }

    private async ValueTask<(bool, UserMailLease?)> EnterAsync(string tag, UserName user, long? epoch)
    {
        try
        {
            var lease = await services.Mails.AcquireAsync(user, epoch, patience.Token);
            output.Status(tag, ImapStatus.Ok, "CAPABILITY " + Capabilities.Authenticated(services.Options), "Logged in.");
            return (true, lease);
        }
        catch (StoreException refused) when (refused.IsFenced)
        {
            Log.Fenced(services.Logger, connection.Id, user.Value, epoch);
            output.Status(tag, ImapStatus.No, "UNAVAILABLE", "The mail is served elsewhere now.");
            return (true, null);
        }
        catch (StoreException failed)
        {
            services.Metrics.CountFailure(failed);
            Log.StoreFailed(services.Logger, connection.Id, user.Value, failed);
            output.Status(tag, ImapStatus.No, "UNAVAILABLE", "The mail cannot be reached now.");
            return (true, null);
        }
    }

    private async ValueTask<(bool, UserMailLease?)> FailAsync(string tag, string mechanism)
    {
        Log.LoginRefused(services.Logger, connection.Id, connection.RemoteEndPoint, mechanism);
        // The same for every cause, so that guessing is slow and the time tells nothing (limits P14).
        await Task.Delay(services.Options.FailureDelay, patience.Token);
        output.Status(tag, ImapStatus.No, "AUTHENTICATIONFAILED", "Authentication failed.");
        return ++_failures < MaxFailures ? (true, null) : Stop(SessionEnd.LoginFailed);
    }

    private (bool, UserMailLease?) Stop(SessionEnd end)
    {
        End = end;
        return (false, null);
    }

    private void Ok(string tag, string text) => output.Status(tag, ImapStatus.Ok, "", text);

    private void Bad(string? tag, string reason)
    {
        _bad++;
        output.Status(tag ?? "*", ImapStatus.Bad, "", reason);
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Warning, "{ConnectionId}: login by {Mechanism} refused, peer {Peer}")]
        public static partial void LoginRefused(ILogger logger, string connectionId, System.Net.IPEndPoint peer, string mechanism);

        [LoggerMessage(1016, LogLevel.Information, "{ConnectionId}: login of {User} with epoch {Epoch} refused: it is over, or the user is elsewhere")]
        public static partial void Fenced(ILogger logger, string connectionId, string user, long? epoch);

        [LoggerMessage(1012, LogLevel.Error, "{ConnectionId}: the mail of {User} cannot be opened")]
        public static partial void StoreFailed(ILogger logger, string connectionId, string user, Exception exception);
    }
}
