using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Throttling;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Proxy;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Director.Login;

/// <summary>The way of a connection until its bytes are relayed: PROXY header, TLS, greeting, login dialogue, authentication, directory, the session at the node,
/// and the release on every way out. Then it is a <see cref="RelayedSession"/>'s.</summary>
/// <param name="client">The connection; whoever accepted it disposes it.</param>
/// <param name="isImplicitTls">Whether TLS comes first (port 993).</param>
/// <param name="services">What sessions work with.</param>
/// <param name="drain">Fires when the director is to be left: ends what has not logged in. Sessions are told in their turn (<see cref="DrainWaves"/>).</param>
internal sealed partial class ClientSession(Connection client, bool isImplicitTls, LoginServices services, CancellationToken drain)
{
    private readonly DirectorOptions _options = services.Options;
    private readonly long _began = Stopwatch.GetTimestamp();
    private IPEndPoint _connectedTo = client.LocalEndPoint;
    private UserName _user;
    // Who has logged in as the user, where it was not the user.
    private UserName? _master;
    private BackendNode? _node;
    private LiveSession? _live;
    private BackendSession? _session;
    // Of the attempt that is being made.
    private LoginGate? _gate;

    /// <summary>Serves the connection until it ends, and logs one line about it, or until it is relayed. Whatever goes wrong with one session is caught here.</summary>
    public async Task RunAsync()
    {
        SessionEnd? end = SessionEnd.Fault;
        services.Metrics.PreLoginConnections.Inc();
        try
        {
            end = await TryLogInAsync();
        }
        catch (SessionEndedException ended)
        {
            end = ended.End;
            if (ended.InnerException is { } cause) Log.Cause(services.Logger, client.Id, cause.Message);
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            end = SessionEnd.ClientClosedBeforeLogin;
        }
        catch (Exception fault)
        {
            SessionEndLog.Fault(services.Logger, client.Id, fault);
        }
        services.Metrics.PreLoginConnections.Dec();
        // What a login needs is gone while bytes are relayed, maybe for days.
        if (end is null) new RelayedSession(client, _session!, _live!, _master, _began, services).Begin();
        else SessionEndLog.Write(services.Logger, client, end.Value, new SessionFacts(_user, _master, _node?.Name, 0, 0), _began);
    }

    private async Task<SessionEnd?> TryLogInAsync()
    {
        var hasFailed = true;
        try
        {
            var end = await LogInAsync();
            hasFailed = end is not null;
            return end;
        }
        finally
        {
            if (hasFailed) await LeaveAsync();
        }
    }

    /// <summary>Everything before the relay.</summary>
    /// <returns>How the connection ended; <c>null</c> when somebody is logged in.</returns>
    private async Task<SessionEnd?> LogInAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(drain);
        patience.CancelAfter(_options.LoginTimeout);
        var login = patience.Token;
        var dialogue = new LoginDialogue(client, _options, services.Handshake, services.Capabilities, services.Proofs) { OnInTheClear = NoteInTheClear };
        try
        {
            await ReadProxyHeaderAsync(login);
            if (isImplicitTls) await services.Handshake.RunAsync(client, keepUnread: true, login);
            await dialogue.GreetAsync(login);
            while (await dialogue.NextAttemptAsync(login) is { } attempt)
            {
                using (attempt)
                {
                    if (await EnterAsync(dialogue, attempt, login)) return null;
                }
            }
            return dialogue.End;
        }
        catch (OperationCanceledException) when (login.IsCancellationRequested)
        {
            var (end, reason) = drain.IsCancellationRequested
                ? (SessionEnd.DrainedBeforeLogin, "The server is going down, please connect again.")
                : (SessionEnd.LoginTimeout, "Too slow a login.");
            await dialogue.SayByeAsync(reason);
            return end;
        }
        finally
        {
            if (CertificateLogin.FaultOf(client, _options.DefaultDomain) is { } fault) Log.CertificateOfNoUse(services.Logger, client.Id, fault, client.RemoteEndPoint);
        }
    }

    /// <summary>Learns the client's address from a load balancer we know; from anybody else nothing of the kind is read (limits P25).</summary>
    private async Task ReadProxyHeaderAsync(CancellationToken login)
    {
        if (!AddressList.Contains(_options.ProxyNetworks, client.RemoteEndPoint.Address)) return;
        var header = await ProxyHeader.ReadAsync(client.Input, login) ?? throw new SessionEndedException(SessionEnd.ProxyHeader);
        _connectedTo = header.Destination ?? client.LocalEndPoint;
        if (header.Source is not { } source) return;
        client.RemoteEndPoint = source;
        if (client.Permit?.TryMoveTo(source.Address) == false) throw new SessionEndedException(SessionEnd.TooManyConnections);
    }

    /// <summary>One attempt to log in.</summary>
    /// <returns>Whether it succeeded.</returns>
    private async Task<bool> EnterAsync(LoginDialogue dialogue, LoginAttempt attempt, CancellationToken login)
    {
        var began = Stopwatch.GetTimestamp();
        if (dialogue.HopsLeft <= 1)
        {
            // Anybody can say so, and only of whom we have listed does it mean that something is wrong here.
            if (dialogue.IsBehindDirector) Log.Loop(services.Logger, client.Id, client.RemoteEndPoint);
            else Log.TooManyHops(services.Logger, client.Id, client.RemoteEndPoint);
            return await RefuseAsync(dialogue, attempt, default, dialogue.IsBehindDirector ? "loop" : "too_many_hops", LoginRefusal.Unavailable, began, login);
        }
        var claim = attempt.ClaimAs(_options.DefaultDomain);
        var isRemembered = attempt.HasUsersPassword && !claim.Who.IsNobody && services.Authenticator.HasJustVerified(claim.Who.Name, attempt.Password);
        _gate = new LoginGate(services.Throttle, services.Turns, services.Policy, client.RemoteEndPoint.Address, client.IsSecure, claim, isRemembered);
        if (await CheckAsync(_gate, attempt, dialogue.HopsLeft, login) is not { } result) return await RefuseAsync(dialogue, attempt, _gate.Name, _gate.Refused!, LoginRefusal.TooManyFailures, began, login);
        var (outcome, user, preferred) = result;
        if (outcome != AuthenticationOutcome.Success)
            return await RefuseAsync(dialogue, attempt, user, MetricLabel.Of(outcome), RefusalOf(outcome), began, login);

        var record = new SessionRecord(client.Id, client.RemoteEndPoint.Address.ToString(), DateTimeOffset.UtcNow)
        {
            Tls = client.TlsVersion,
            Mechanism = attempt.Mechanism,
            ClientName = dialogue.ClientName,
            Master = attempt.ActsFor is null ? null : _gate.Name,
        };
        var ticket = await services.Directory.OpenSessionAsync(user, record, login, preferred);
        if (ticket.Node is not { } node)
            return await RefuseAsync(dialogue, attempt, user, MetricLabel.Of(ticket.Outcome), RefusalOf(ticket.Outcome), began, login);
        // Whoever has not sent the user's password cannot be logged in where it is wanted.
        if (!attempt.HasUsersPassword && node.Login == NodeLogin.Password)
        {
            await services.Directory.CloseSessionAsync(user, client.Id);
            if (record.Master is { } master) Log.NoMasterThere(services.Logger, client.Id, master, user, node.Name);
            else Log.NoPassword(services.Logger, client.Id, user, node.Name, attempt.Mechanism);
            return await RefuseAsync(dialogue, attempt, user, "no_password", record.Master is null ? LoginRefusal.Unavailable : LoginRefusal.NotAuthorized, began, login);
        }
        var live = new LiveSession(user, node.Name, client.RemoteEndPoint.Address) { Id = client.Id, AskedAt = ticket.AskedAt };
        if (services.Sessions.TryAdd(live, _options, services.Reports.Elsewhere, began) is not DirectoryOutcome.Assigned and var full)
        {
            await services.Directory.CloseSessionAsync(user, client.Id);
            return await RefuseAsync(dialogue, attempt, user, MetricLabel.Of(full), RefusalOf(full), began, login);
        }
        _live = live;
        var forwarded = new ForwardedClient(client.Id, client.RemoteEndPoint, dialogue.ConnectedTo ?? _connectedTo, client.IsSecure, dialogue.HopsLeft);
        var backend = await services.Backends.LogInAsync(node, UserAt(ticket, user, attempt), forwarded, login, client.Loop);
        // A node says so too when the user lives elsewhere by now.
        if (backend.Failure == BackendFailure.Unavailable && node.IsBundled)
        {
            var again = await services.Directory.OpenSessionAsync(user, record, login, preferred);
            if (again.Node is { } other && again != ticket)
            {
                _live.Node = other.Name;
                backend = await services.Backends.LogInAsync(other, UserAt(again, user, attempt), forwarded, login, client.Loop);
            }
            else if (again == ticket) Log.Unserved(services.Logger, client.Id, user, node.Name, ticket.Epoch);
        }
        if (backend.Session is not { } session)
        {
            await LeaveAsync();
            return await RefuseAsync(dialogue, attempt, user, "backend_failed", LoginRefusal.Unavailable, began, login);
        }
        (_session, _user, _master, _node, _live.Node) = (session, user, record.Master, session.Node, session.Node.Name);
        // Before the client hears of it: it may open its next connection at once.
        client.Permit?.Authenticated();
        if (dialogue.SessionIdInFront is { } inFront) Log.Behind(services.Logger, client.Id, inFront);
        if (record.Master is { } actor)
        {
            Log.MasterLoggedIn(services.Logger, client.Id, actor, user, session.Node.Name, attempt.Mechanism, client.RemoteEndPoint);
            services.Metrics.MasterLogins.WithLabels("success").Inc();
        }
        await dialogue.AcceptAsync(attempt, session.Capabilities, login);
        services.Metrics.Logins.WithLabels(attempt.Mechanism, "success").Inc();
        services.Metrics.LoginDuration.Observe(Stopwatch.GetElapsedTime(began).TotalSeconds);
        _gate = null;
        return true;
    }

    /// <summary>Lets the node and the directory know that there is no session any more, where there was one.</summary>
    private async Task LeaveAsync()
    {
        var (session, live) = (_session, _live);
        (_session, _live) = (null, null);
        try
        {
            if (session is not null) await session.Connection.DisposeAsync();
        }
        finally
        {
            if (live is not null)
            {
                services.Sessions.Remove(live);
                await services.Directory.CloseSessionAsync(live.User, client.Id);
            }
        }
    }

    /// <summary>Checks an attempt behind the gate.</summary>
    /// <returns><c>null</c> when it stays shut.</returns>
    private async Task<AuthenticationResult?> CheckAsync(LoginGate gate, LoginAttempt attempt, int hopsLeft, CancellationToken login)
    {
        if (!await gate.IsAllowedAsync(attempt.Password, login)) return null;
        var result = attempt.Proof is { } proof
            ? await proof.CheckAsync(gate, login)
            : await gate.CheckAsync(attempt.Password, stop => attempt.ActsFor is { } user
                ? services.Proofs.Masters.CheckAsync(attempt.User, attempt.Password, user, client.RemoteEndPoint.Address, gate.Rank, stop)
                : services.Authenticator.AuthenticateAsync(attempt.User, attempt.Password, client.RemoteEndPoint.Address, gate.Rank, stop, hopsLeft), login);
        await gate.ReportAsync(login);
        return result;
    }

    private BackendUser UserAt(SessionTicket ticket, UserName user, LoginAttempt attempt) =>
        new(user, attempt.HasUsersPassword ? attempt.Password : [], services.Sessions.HasSeveral(user)) { Epoch = ticket.Epoch };

    /// <summary>Refuses, and answers <c>false</c>, as late after the check began as any other refusal: neither its cause nor what it cost can be told from the time (limits P14, P18).</summary>
    private async Task<bool> RefuseAsync(LoginDialogue dialogue, LoginAttempt attempt, UserName user, string result, LoginRefusal refusal,
        long began, CancellationToken login)
    {
        services.Metrics.Logins.WithLabels(attempt.Mechanism, result).Inc();
        if (attempt.ActsFor is { } target)
        {
            services.Metrics.MasterLogins.WithLabels("refused").Inc();
            Log.MasterRefused(services.Logger, client.Id, NameOf(target, _options.DefaultDomain), NameOf(attempt.User, null), attempt.Mechanism, result, client.RemoteEndPoint);
        }
        else Log.Refused(services.Logger, client.Id, user.ToString(), attempt.Mechanism, result, client.RemoteEndPoint);
        var delay = refusal is LoginRefusal.AuthenticationFailed or LoginRefusal.Unfinished ? _gate!.Delay : _options.FailureDelay;
        attempt.Dispose();
        var left = delay - Stopwatch.GetElapsedTime(began);
        if (left > TimeSpan.Zero) await Task.Delay(left, login);
        await dialogue.RefuseAsync(attempt, refusal, login);
        return false;
    }

    private void NoteInTheClear(string mechanism)
    {
        const string result = "privacy_required";
        services.Metrics.Logins.WithLabels(mechanism, result).Inc();
        Log.Refused(services.Logger, client.Id, "", mechanism, result, client.RemoteEndPoint);
    }

    // What is no name is not shown.
    private static string NameOf(byte[] sent, string? defaultDomain) => LoginName.TryRead(sent, defaultDomain, out var name) ? name.Value : "";

    private static LoginRefusal RefusalOf(AuthenticationOutcome outcome) => outcome switch
    {
        AuthenticationOutcome.TemporaryFailure or AuthenticationOutcome.LikelyWrong => LoginRefusal.Unavailable,
        AuthenticationOutcome.Unfinished => LoginRefusal.Unfinished,
        _ => LoginRefusal.AuthenticationFailed,
    };

    private static LoginRefusal RefusalOf(DirectoryOutcome outcome) =>
        outcome is DirectoryOutcome.LimitReached or DirectoryOutcome.UserLimitReached or DirectoryOutcome.AddressLimitReached or DirectoryOutcome.NodeLimitReached
            ? LoginRefusal.LimitReached : LoginRefusal.Unavailable;

    private static partial class Log
    {
        [LoggerMessage(3402, LogLevel.Information, "{ConnectionId} login refused: {Result}, user={User} mechanism={Mechanism} client={Client}")]
        public static partial void Refused(ILogger logger, string connectionId, string user, string mechanism, string result, IPEndPoint client);

        [LoggerMessage(3411, LogLevel.Information, "{ConnectionId} master {Master} has logged in as {User}: node={Node} mechanism={Mechanism} client={Client}")]
        public static partial void MasterLoggedIn(ILogger logger, string connectionId, UserName master, UserName user, string node, string mechanism, IPEndPoint client);

        [LoggerMessage(3412, LogLevel.Information, "{ConnectionId} login refused: {Result}, user={User} master={Master} mechanism={Mechanism} client={Client}")]
        public static partial void MasterRefused(ILogger logger, string connectionId, string user, string master, string mechanism, string result, IPEndPoint client);

        [LoggerMessage(3414, LogLevel.Warning, "{ConnectionId} master {Master} cannot be {User}: node {Node} wants the user's own password. Let the directors log in there as master")]
        public static partial void NoMasterThere(ILogger logger, string connectionId, UserName master, UserName user, string node);

        [LoggerMessage(3403, LogLevel.Debug, "{ConnectionId} ended early: {Reason}")]
        public static partial void Cause(ILogger logger, string connectionId, string reason);

        [LoggerMessage(3405, LogLevel.Error, "{ConnectionId} has come through too many directors, and to itself by now: see which node of this or another director is a director. client={Client}")]
        public static partial void Loop(ILogger logger, string connectionId, IPEndPoint client);

        [LoggerMessage(3409, LogLevel.Information, "{ConnectionId} says that it has come through too many directors, and is none of DirectorNetworks: anybody, or a director that is its own node and not listed. client={Client}")]
        public static partial void TooManyHops(ILogger logger, string connectionId, IPEndPoint client);

        [LoggerMessage(3406, LogLevel.Information, "{ConnectionId} is session {Other} of the director in front")]
        public static partial void Behind(ILogger logger, string connectionId, string other);

        [LoggerMessage(3407, LogLevel.Error, "{ConnectionId} {User} came with {Mechanism}, but node {Node} wants the password: offer only PLAIN and LOGIN, or let the directors log in there as master")]
        public static partial void NoPassword(ILogger logger, string connectionId, UserName user, string node, string mechanism);

        [LoggerMessage(3408, LogLevel.Warning, "{ConnectionId} node {Node} does not serve {User}, who is assigned to it with epoch {Epoch}: see why in its log. Event 1016 there means that it has seen a newer epoch, which Redis has lost: nobody is sent elsewhere for it")]
        public static partial void Unserved(ILogger logger, string connectionId, UserName user, string node, long epoch);

        [LoggerMessage(3410, LogLevel.Information, "{ConnectionId} the client's certificate is of no use: {Fault}. client={Client}")]
        public static partial void CertificateOfNoUse(ILogger logger, string connectionId, string fault, IPEndPoint client);
    }
}
