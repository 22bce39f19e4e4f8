using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Backends;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Director.Login;

/// <summary>The not-authenticated state (RFC 3501 section 3.1): greets, answers, and hands out each attempt to log in. One at a time: what a
/// client pipelines behind an attempt waits for its answer (limits P17).</summary>
internal sealed class LoginDialogue(Connection client, DirectorOptions options, ServerHandshake handshake, NodeCapabilities nodes, LoginProofs proofs)
{
    /// <summary>How much of what a client sends behind a command is read while that is answered, in bytes: it is kept until a node can have it (limits P3). More waits with
    /// the client.</summary>
    public const int MaxPipelinedBytes = 1024;

    private const int MaxBadCommands = 3;
    private const int MaxCommands = 100;
    private const int MaxFailures = 3;
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(1);

    private readonly MechanismOffer _offer = new(options);
    private ImapCommandReader? _reader;
    // Of the last AUTHENTICATE.
    private SaslLines? _lines;
    private int _commands;
    private int _bad;
    private int _failures;
    private bool _hasRefusedInTheClear;
    private SessionEnd? _end;
    // Who is at the other end, as far as nothing is said of it in ID.
    private IPEndPoint? _peer;
    private SaidInId _said = new(null, null, null, null);
    // Between a greeting and a login, outside of handshakes: where a line of ours can be read as one.
    private bool _canSpeak;

    /// <summary>Why the dialogue is over without a login, once <see cref="NextAttemptAsync"/> has returned <c>null</c>.</summary>
    public SessionEnd End => _end ?? SessionEnd.Fault;

    /// <summary>Whether it is a listed director, or proxy, that speaks: whom ID may change later.</summary>
    public bool IsBehindDirector { get; private set; }

    /// <summary>How many directors may still come, this one among them (limits D7).</summary>
    public int HopsLeft => _said.HopsLeft ?? ForwardedClient.MostHops;

    /// <summary>Where the client connected, if a director in front of this one has told; else <c>null</c>.</summary>
    public IPEndPoint? ConnectedTo => _said.ConnectedTo;

    /// <summary>How the logs of a director in front of this one call the session; else <c>null</c>.</summary>
    public string? SessionIdInFront => _said.SessionIdInFront;

    /// <summary>What the client calls itself; <c>null</c> where it has not said.</summary>
    public string? ClientName => _said.ClientName;

    /// <summary>Called for the first attempt to log in that is refused because it came in the clear, with the mechanism as metrics call it: others on the connection say nothing new.</summary>
    public Action<string>? OnInTheClear { get; init; }

    /// <summary>Says hello.</summary>
    public async Task GreetAsync(CancellationToken cancellationToken)
    {
        _canSpeak = true;
        _peer = client.RemoteEndPoint;
        IsBehindDirector = AddressList.Contains(options.DirectorNetworks, _peer.Address);
        client.Output.Status("*", ImapStatus.Ok, "CAPABILITY " + Offer, "ImapDirector ready.");
        await client.Output.FlushAsync(cancellationToken);
    }

    /// <summary>Answers commands until one brings a name and a password.</summary>
    /// <returns>The attempt, to be answered by <see cref="AcceptAsync"/> or <see cref="RefuseAsync"/>; <c>null</c> when the connection is to be closed.</returns>
    public async Task<LoginAttempt?> NextAttemptAsync(CancellationToken cancellationToken)
    {
        while (_end is null)
        {
            _reader ??= NewReader();
            var frame = await _reader.ReadAsync(cancellationToken);
            if (++_commands > MaxCommands && frame.Kind != FrameKind.EndOfStream) Close(SessionEnd.BadCommands, "Too many commands before login.");
            else if (await AnswerAsync(frame, cancellationToken) is { } attempt) return attempt;
            if (_end is null && _bad >= MaxBadCommands) Close(SessionEnd.BadCommands, "Too many bad commands.");
            await client.Output.FlushAsync(cancellationToken);
        }
        return null;
    }

    /// <summary>Says that the user is logged in, and what the node can do for them.</summary>
    public async Task AcceptAsync(LoginAttempt attempt, string capabilities, CancellationToken cancellationToken)
    {
        _canSpeak = false;
        client.Output.Status(attempt.Tag, ImapStatus.Ok, capabilities.Length == 0 ? "" : "CAPABILITY " + capabilities, "Logged in.");
        await client.Output.FlushAsync(cancellationToken);
    }

    /// <summary>Refuses an attempt.</summary>
    public async Task RefuseAsync(LoginAttempt attempt, LoginRefusal refusal, CancellationToken cancellationToken)
    {
        _failures++;
        if (refusal == LoginRefusal.Unfinished) AnswerUnfinished(attempt.Tag);
        else await SayNoAsync(attempt, refusal, cancellationToken);
        if (_failures >= MaxFailures && _end is null) Close(SessionEnd.LoginFailures, "Too many failed logins.");
        await client.Output.FlushAsync(cancellationToken);
    }

    private async ValueTask SayNoAsync(LoginAttempt attempt, LoginRefusal refusal, CancellationToken cancellationToken)
    {
        // Whatever the client answers, or whether it goes away: it is refused.
        if (attempt.Proof?.RefusalChallenge is { } challenge && refusal == LoginRefusal.AuthenticationFailed) await _lines!.AskAsync(challenge, cancellationToken);
        var (code, text) = refusal switch
        {
            LoginRefusal.AuthenticationFailed => ("AUTHENTICATIONFAILED", "Authentication failed."),
            LoginRefusal.NotAuthorized => ("AUTHORIZATIONFAILED", "You cannot be this user."),
            LoginRefusal.LimitReached => ("LIMIT", "Too many sessions."),
            LoginRefusal.TooManyFailures => ("LIMIT", "Too many failed logins, please try again later."),
            _ => ("UNAVAILABLE", "Your mail cannot be reached now, please try again later."),
        };
        client.Output.Status(attempt.Tag, ImapStatus.No, code, text);
    }

    /// <summary>Says goodbye to a client that may be gone already, or may not be able to read it.</summary>
    public async Task SayByeAsync(string reason)
    {
        if (!_canSpeak) return;
        using var patience = new CancellationTokenSource(FarewellTimeout);
        try
        {
            client.Output.Status("*", ImapStatus.Bye, "", reason);
            await client.Output.FlushAsync(patience.Token);
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // It takes nothing more; it is let go without a word.
        }
    }

    private bool MayLogIn => client.IsSecure || options.AllowPlainTextLogin || AddressList.Contains(options.PlainTextNetworks, client.RemoteEndPoint.Address);

    private string Offer => client.IsSecure ? Capabilities.Secure(nodes.Common) + _offer.TextFor(client)
        : MayLogIn ? Capabilities.PlainAllowed(nodes.Common) + _offer.TextFor(client) : Capabilities.TlsFirst(nodes.Common);

    private ImapCommandReader NewReader() => new(client.Input, CommandLimits.BeforeLogin, async cancellationToken =>
    {
        client.Output.Raw("+ OK\r\n"u8);
        await client.Output.FlushAsync(cancellationToken);
    });

    private async ValueTask<LoginAttempt?> AnswerAsync(CommandFrame frame, CancellationToken cancellationToken)
    {
        switch (frame.Kind)
        {
            case FrameKind.EndOfStream:
                _end = SessionEnd.ClientClosedBeforeLogin;
                return null;
            case FrameKind.Flood:
                Close(SessionEnd.BadCommands, "Too much at once.");
                return null;
            case FrameKind.LineTooLong:
                Bad(frame.Tag, "Command line too long.");
                Close(SessionEnd.BadCommands, "Command line too long.");
                return null;
            case FrameKind.LiteralTooBig:
                Bad(frame.Tag, "Literal too big before login.");
                return null;
        }
        if (!ImapCommandParser.TryParse(frame.Bytes, ParseOptions.BeforeLogin, out var command, out var error))
        {
            Bad(error.Tag, error.Reason);
            return null;
        }
        switch (command)
        {
            case LoginCommand login:
                return Begin(login);
            case AuthenticateCommand authenticate:
                return await BeginAsync(authenticate, cancellationToken);
            case StartTlsCommand:
                await StartTlsAsync(command.Tag, cancellationToken);
                return null;
            default:
                Answer(command);
                return null;
        }
    }

    private void Answer(ImapCommand command)
    {
        var output = client.Output;
        switch (command)
        {
            case CapabilityCommand:
                output.Raw(Encoding.ASCII.GetBytes($"* CAPABILITY {Offer}\r\n"));
                break;
            case IdCommand id:
                // Nothing the client said of itself comes back (limits P6).
                if (!Heed(ForwardedFacts.Of(id))) return;
                _said = _said with { ClientName = Login.ClientName.Of(id) ?? ClientName };
                output.Raw("* ID (\"name\" \"ImapDirector\")\r\n"u8);
                break;
            case LogoutCommand:
                Close(SessionEnd.LoggedOut, "Logging out.");
                break;
            case NoopCommand:
                break;
            default:
                Bad(command.Tag, "Log in first.");
                return;
        }
        output.Status(command.Tag, ImapStatus.Ok, "", $"{command.Name} completed.");
    }

    /// <summary>Takes note of what is said of a client in ID. From strangers that is nothing (limits D4) but how far they have come: that can only shut
    /// them out, and a director that is its own node is found out by it also where nobody has listed it.</summary>
    /// <returns>Whether the client may stay.</returns>
    private bool Heed(ForwardedFacts facts)
    {
        if (facts.HopsLeft is { } hops) _said = _said with { HopsLeft = Math.Min(hops, HopsLeft) };
        if (!IsBehindDirector) return true;
        _said = _said with { ConnectedTo = facts.ConnectedTo ?? ConnectedTo, SessionIdInFront = facts.SessionId ?? SessionIdInFront };
        return facts.Client is not { } remote || Locate(remote);
    }

    /// <summary>Counts the client at another address.</summary>
    /// <returns>Whether it may stay.</returns>
    private bool Locate(IPEndPoint remote)
    {
        client.RemoteEndPoint = remote;
        if (client.Permit?.TryMoveTo(remote.Address) != false) return true;
        Close(SessionEnd.TooManyConnections, "Too many connections from this address.");
        return false;
    }

    private async ValueTask StartTlsAsync(string tag, CancellationToken cancellationToken)
    {
        if (client.IsSecure)
        {
            Bad(tag, "TLS is active already.");
            return;
        }
        client.Output.Status(tag, ImapStatus.Ok, "", "Begin TLS negotiation now.");
        await client.Output.FlushAsync(cancellationToken);
        _canSpeak = false;
        await handshake.RunAsync(client, keepUnread: false, cancellationToken);
        _canSpeak = true;
        // A new reader: nothing that was read in the clear may be answered now (limits P21). Whoever has put an ID in front of STARTTLS is not heard either.
        _reader = null;
        _said = new SaidInId(null, null, null, null);
        if (_peer is { } peer && !client.RemoteEndPoint.Equals(peer)) Locate(peer);
    }

    private LoginAttempt? Begin(LoginCommand login)
    {
        _reader!.ForgetFrame();
        var names = LoginNames.Of(default, login.User, options);
        var attempt = new LoginAttempt(login.Tag, "login", names.Name, login.Password) { ActsFor = names.ActsFor };
        if (MayLogIn && _offer.IncludesLogin) return attempt;
        attempt.Dispose();
        if (MayLogIn) Bad(login.Tag, "LOGIN is switched off.");
        else RefuseInTheClear(login.Tag, "login");
        return null;
    }

    private async ValueTask<LoginAttempt?> BeginAsync(AuthenticateCommand command, CancellationToken cancellationToken)
    {
        _reader!.ForgetFrame();
        if (!MayLogIn)
        {
            CryptographicOperations.ZeroMemory(command.InitialResponse);
            RefuseInTheClear(command.Tag, "sasl");
            return null;
        }
        if (!_offer.Includes(command.Mechanism, client))
        {
            CryptographicOperations.ZeroMemory(command.InitialResponse);
            client.Output.Status(command.Tag, ImapStatus.No, "", "Unsupported mechanism.");
            _bad++;
            return null;
        }
        var lines = _lines = new SaslLines(client, _reader);
        // What other mechanisms check takes longer than others of a loop's should wait.
        if (command.Mechanism is not "PLAIN") await PollLoop.LeaveAsync();
        var attempt = command.Mechanism switch
        {
            "PLAIN" or "LOGIN" => await new SaslExchange(lines, command, options).RunAsync(cancellationToken),
            "OAUTHBEARER" or "XOAUTH2" => await new TokenExchange(client, lines, command, proofs.Tokens!).RunAsync(cancellationToken),
            "EXTERNAL" => await new ExternalExchange(client, lines, command, proofs.Certificates).RunAsync(cancellationToken),
            _ => await new ScramExchange(client, lines, command, _offer, proofs, options).RunAsync(cancellationToken),
        };
        if (attempt is null) AnswerUnfinished(command.Tag);
        return attempt;
    }

    private void AnswerUnfinished(string tag)
    {
        switch (_lines!.Failure)
        {
            case SaslFailure.EndOfStream:
                _end = SessionEnd.ClientClosedBeforeLogin;
                break;
            case SaslFailure.TooLong:
                Bad(tag, "Response too long.");
                Close(SessionEnd.BadCommands, "Response too long.");
                break;
            case SaslFailure.Cancelled:
                // The client's right (RFC 3501 section 6.2.2), so it does not count as bad.
                client.Output.Status(tag, ImapStatus.Bad, "", "Authentication cancelled.");
                break;
            default:
                Bad(tag, "Broken response.");
                break;
        }
    }

    // The password was sent in the clear all the same; a second one should not be.
    private void RefuseInTheClear(string tag, string mechanism)
    {
        if (!_hasRefusedInTheClear) OnInTheClear?.Invoke(mechanism);
        _hasRefusedInTheClear = true;
        client.Output.Status(tag, ImapStatus.No, "PRIVACYREQUIRED", "Use TLS first.");
        _bad++;
    }

    private void Bad(string? tag, string reason)
    {
        _bad++;
        client.Output.Status(tag ?? "*", ImapStatus.Bad, "", reason);
    }

    private void Close(SessionEnd end, string reason)
    {
        _end = end;
        client.Output.Status("*", ImapStatus.Bye, "", reason);
    }

    /// <summary>What ID has told so far, but for the client's address, which is the connection's.</summary>
    private sealed record SaidInId(int? HopsLeft, IPEndPoint? ConnectedTo, string? SessionIdInFront, string? ClientName);
}
