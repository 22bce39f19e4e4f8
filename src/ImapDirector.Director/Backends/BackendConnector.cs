using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Backends;

/// <summary>Connects to a node and logs a user in there, within the limits of time and tries (limits R2).</summary>
/// <param name="options">The limits of time.</param>
/// <param name="referable">The nodes that a node may refer to.</param>
/// <param name="tls">How their certificates are checked.</param>
/// <param name="assertions">Makes what we log in with at bundled nodes; <c>null</c> where that is a master password.</param>
/// <param name="health">Which of them are worth a try; hears of what logins meet.</param>
/// <param name="admission">How many logins each takes at one time.</param>
/// <param name="capabilities">Hears of what they offer.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">Tells of failures.</param>
internal sealed partial class BackendConnector(DirectorOptions options, Func<IEnumerable<BackendNode>> referable, BackendTlsOptions tls, AssertionIssuer? assertions, NodeHealth health,
    NodeAdmission admission, NodeCapabilities capabilities, DirectorMetrics metrics, ILogger<BackendConnector> logger)
{
    private static readonly ConditionalWeakTable<BackendNode, EndPoint> EndPoints = [];

    private volatile DirectorOptions _options = options;

    // A node that restarts refuses connections for a moment: it is tried again after these pauses.
    private static readonly TimeSpan[] PausesBeforeRetry = [TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1)];

    /// <summary>Other limits from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Logs <paramref name="user"/> in at <paramref name="node"/>, or, where that refers to another node that is known, there: once.</summary>
    /// <param name="node">Where.</param>
    /// <param name="user">Whom.</param>
    /// <param name="client">What the node is told of the client.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="loop">The loop that is to watch the connection, or <c>null</c>.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<BackendLogin> LogInAsync(BackendNode node, BackendUser user, ForwardedClient client, CancellationToken cancellationToken, PollLoop? loop = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.BackendLoginTimeout);
        var login = await LogInAsync(node, user, client, loop, limit, cancellationToken);
        if (login.Failure != BackendFailure.Referred) return login;
        if (node.IsBundled || login.Referral?.Among(referable()) is not { IsBundled: false } other || other.Name == node.Name)
        {
            Log.ReferralRefused(logger, client.SessionId, node.Name, login.Referral?.Host ?? "no host for this user");
            return login;
        }
        // Or a word of the first node would make a master's login, which takes any password, of one that is to tell whether this one is right.
        if (node.Login == NodeLogin.Password) other = other.AsUsers;
        Log.Referral(logger, client.SessionId, user.Name.Value, node.Name, other.Name);
        login = await LogInAsync(other, user, client, loop, limit, cancellationToken);
        if (login.Failure == BackendFailure.Referred) Log.ReferralRefused(logger, client.SessionId, other.Name, "a second one");
        return login;
    }

    private async Task<BackendLogin> LogInAsync(BackendNode node, BackendUser user, ForwardedClient client, PollLoop? loop, CancellationTokenSource limit, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (!health.IsWell(node))
            {
                metrics.BackendConnects.WithLabels(node.Name, MetricLabel.Of(BackendFailure.KnownAway)).Inc();
                return new BackendLogin(BackendFailure.KnownAway, null);
            }
            var started = Stopwatch.GetTimestamp();
            var (login, mayRetry) = await TryInTurnAsync(node, user, client, loop, limit.Token, cancellationToken);
            health.Note(node, login.Failure);
            metrics.BackendConnects.WithLabels(node.Name, login.Session is null ? MetricLabel.Of(login.Failure) : "ok").Inc();
            if (login.Session is not null) return login;
            Log.Failed(logger, client.SessionId, node.Name, user.Name.Value, login.Failure, Stopwatch.GetElapsedTime(started).TotalMilliseconds, attempt + 1);
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

    private async Task<(BackendLogin Login, bool MayRetry)> TryInTurnAsync(BackendNode node, BackendUser user, ForwardedClient client, PollLoop? loop,
        CancellationToken limit, CancellationToken cancellationToken)
    {
        try
        {
            using var place = await admission.EnterAsync(node.Name, user.Rank, limit);
            if (place is not null) return await TryLogInAsync(node, user, client, loop, limit, cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Too long a queue, then.
        }
        return (new BackendLogin(BackendFailure.Crowded, null), false);
    }

    private async Task<(BackendLogin Login, bool MayRetry)> TryLogInAsync(BackendNode node, BackendUser user, ForwardedClient client, PollLoop? loop,
        CancellationToken limit, CancellationToken cancellationToken)
    {
        // As far as nobody's password is needed, a node that is well answers at once.
        using var greeting = CancellationTokenSource.CreateLinkedTokenSource(limit);
        greeting.CancelAfter(_options.BackendConnectTimeout);
        var (failure, connection) = await ConnectAsync(node, loop, greeting.Token, cancellationToken);
        if (connection is null) return (new BackendLogin(failure, null), failure is BackendFailure.Refused or BackendFailure.Reset);
        var dialogue = new BackendDialogue(connection, node, tls, assertions);
        var isLoggedIn = false;
        try
        {
            failure = await dialogue.GreetAsync(client, greeting.Token);
            if (failure == BackendFailure.None) failure = await dialogue.LogInAsync(user, client, limit);
            isLoggedIn = failure == BackendFailure.None;
            if (isLoggedIn)
            {
                var offered = dialogue.Capabilities;
                capabilities.Note(node.Name, offered, isAfterLogin: true);
                return (new BackendLogin(failure, new BackendSession(connection, node, offered)), false);
            }
        }
        catch (Exception lost) when (FailureOf(lost) is { } known)
        {
            if (lost is AuthenticationException) Log.TlsFailed(logger, client.SessionId, node.Name, lost.Message);
            // Connected it was.
            failure = known == BackendFailure.TlsFailed ? known : BackendFailure.Reset;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            failure = limit.IsCancellationRequested ? BackendFailure.LoginTimeout : BackendFailure.GreetingTimeout;
        }
        finally
        {
            if (!isLoggedIn) await connection.DisposeAsync();
        }
        if (failure == BackendFailure.StartTlsInjected) Log.StartTlsInjected(logger, client.SessionId, node.Name);
        return (new BackendLogin(failure, null, dialogue.Referral), failure is BackendFailure.Reset && !dialogue.HasSentCredentials);
    }

    private static async Task<(BackendFailure Failure, Connection? Connection)> ConnectAsync(BackendNode node, PollLoop? loop, CancellationToken limit, CancellationToken cancellationToken)
    {
        try
        {
            return (BackendFailure.None, await Connection.ConnectAsync(EndPointOf(node), limit, loop));
        }
        catch (Exception failed) when (failed is SocketException or IOException && FailureOf(failed) is { } failure)
        {
            return (failure, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (BackendFailure.ConnectTimeout, null);
        }
    }

    /// <summary>Where a node's IMAP is: one object for all of its sessions, as each of them keeps it.</summary>
    public static EndPoint EndPointOf(BackendNode node)
    {
        if (EndPoints.TryGetValue(node, out var known)) return known;
        EndPoint made = IPAddress.TryParse(node.Host, out var address) ? new IPEndPoint(address, node.ImapPort) : new DnsEndPoint(node.Host, node.ImapPort);
        // Not where it names an interface: that may be made anew, and has another number then.
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 }) EndPoints.TryAdd(node, made);
        return made;
    }

    /// <summary>What went wrong on the way to a node, or with the connection; <c>null</c> when it is nothing of the kind.</summary>
    public static BackendFailure? FailureOf(Exception exception) => exception switch
    {
        AuthenticationException => BackendFailure.TlsFailed,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => BackendFailure.Refused,
        // Reset between the handshake and the first look at it, a connection is found to be none.
        SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NotConnected } => BackendFailure.Reset,
        SocketException { SocketErrorCode: SocketError.TimedOut } => BackendFailure.ConnectTimeout,
        SocketException => BackendFailure.Unreachable,
        IOException or ObjectDisposedException => BackendFailure.Reset,
        _ => null,
    };

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Warning, "{ConnectionId} login of {User} at node {Node} failed: {Failure} after {Milliseconds:F0} ms, attempt {Attempt}")]
        public static partial void Failed(ILogger logger, string connectionId, string node, string user, BackendFailure failure, double milliseconds, int attempt);

        [LoggerMessage(3302, LogLevel.Error, "{ConnectionId} no trust in node {Node}: {Reason}")]
        public static partial void TlsFailed(ILogger logger, string connectionId, string node, string reason);

        [LoggerMessage(3303, LogLevel.Error, "{ConnectionId} somebody between here and node {Node} has put words behind its answer to STARTTLS: the connection was closed")]
        public static partial void StartTlsInjected(ILogger logger, string connectionId, string node);

        [LoggerMessage(3304, LogLevel.Information, "{ConnectionId} node {Node} refers {User} to node {Other}")]
        public static partial void Referral(ILogger logger, string connectionId, string user, string node, string other);

        [LoggerMessage(3305, LogLevel.Warning, "{ConnectionId} node {Node} refers to where nobody is sent from here: {Host}")]
        public static partial void ReferralRefused(ILogger logger, string connectionId, string node, string host);
    }
}
