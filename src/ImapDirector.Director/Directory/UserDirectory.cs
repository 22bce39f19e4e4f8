using System.Diagnostics;
using System.Globalization;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>The user → node map in Redis. One script does get-or-assign, the limit check and the session's registration in one round trip.</summary>
internal sealed partial class UserDirectory : IAsyncDisposable
{
    /// <summary>As the preferred node: whoever has none is given none.</summary>
    public const string NoNewNode = "";

    private const int CachedAssignments = 100_000;
    private const long FirstEpoch = 1;
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);

    private volatile DirectorOptions _options;
    private readonly RedisConnection _redis;
    private readonly NodeRegistry _nodes;
    private readonly NodeHealth _health;
    private readonly MoveWaits _waits;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly SessionLedger _ledger;
    private readonly IncarnationLease _lease;
    private readonly BoundedCache<UserName, ConfirmedAssignment> _confirmed = new(CachedAssignments);

    /// <summary>Composes the directory; nothing is sent yet.</summary>
    /// <exception cref="ArgumentException"><see cref="DirectorOptions.Name"/> cannot name a director.</exception>
    public UserDirectory(DirectorOptions options, RedisConnection redis, NodeRegistry nodes, NodeHealth health, DirectorMetrics metrics, ILoggerFactory loggers)
        : this(options, redis, nodes, health, metrics, loggers, TimeProvider.System, LeaseDuration)
    {
    }

    /// <summary>As above, with a clock for the age of cached assignments, and the lease's duration.</summary>
    public UserDirectory(DirectorOptions options, RedisConnection redis, NodeRegistry nodes, NodeHealth health, DirectorMetrics metrics, ILoggerFactory loggers, TimeProvider clock, TimeSpan leaseDuration)
    {
        _waits = new MoveWaits(options, metrics);
        (_options, _redis, _nodes, _health, _clock) = (options, redis, nodes, health, clock);
        _logger = loggers.CreateLogger<UserDirectory>();
        _ledger = new SessionLedger(redis);
        _lease = new IncarnationLease(options.Name, redis, _ledger, leaseDuration, loggers.CreateLogger<IncarnationLease>());
    }

    /// <summary>Other limits from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Sends users of nodes that are away elsewhere, where they can go; <c>null</c> for nowhere.</summary>
    public PoolFailover? Failover { get; init; }

    /// <summary>This director's incarnation, or <c>null</c> while it has none.</summary>
    public Incarnation? Incarnation => _lease.Current;

    /// <summary>Whether another director has this one's name.</summary>
    public bool IsNameTaken => _lease.IsNameTaken;

    /// <summary>Begins the loop that takes and renews this director's lease. Returns after the first attempt, whether or not Redis answered.</summary>
    /// <exception cref="IOException">Another director of this name runs.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_redis.Replicas.LookAsync(cancellationToken), _lease.StartAsync(cancellationToken));
    }

    /// <summary>Finds the user's node (assigning one of the default pool by weighted rendezvous hashing where there is none) and registers the session. While the user
    /// moves it waits, up to <see cref="DirectorOptions.MoveWait"/>.</summary>
    /// <param name="user">The user.</param>
    /// <param name="session">The session.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="preferred">The node for a user without one that a password database names; one that is none of ours is not taken.</param>
    /// <exception cref="OperationCanceledException">The token fired; no record of the session will stay.</exception>
    public Task<SessionTicket> OpenSessionAsync(UserName user, SessionRecord session, CancellationToken cancellationToken, string? preferred = null) =>
        _waits.UntilSettledAsync(Watched(user, () => TryOpenSessionAsync(user, session, preferred, cancellationToken), () => _ledger.CloseAsync(user, session.Id), cancellationToken), static ticket => ticket.Outcome == DirectoryOutcome.Moving, cancellationToken);

    /// <summary>As <see cref="OpenSessionAsync"/> without a session: for deliveries.</summary>
    public Task<SessionTicket> AssignAsync(UserName user, CancellationToken cancellationToken) =>
        _waits.UntilSettledAsync(Watched(user, () => TryAssignAsync(user, cancellationToken), static () => Task.CompletedTask, cancellationToken), static ticket => ticket.Outcome == DirectoryOutcome.Moving, cancellationToken);

    /// <summary>Looks whether what is remembered of a user still holds.</summary>
    public async Task RefreshAsync(UserName user, CancellationToken cancellationToken)
    {
        if (!_confirmed.TryGet(user, out var known)) return;
        var reply = await _redis.CallAsync("assign", database => database.HashGetAsync(RedisKeys.Assignment(user), ["node", "epoch", "confirmed"]), cancellationToken);
        if (!reply.Succeeded || !reply.Value[1].TryParse(out long epoch) || epoch <= known.Epoch) return;
        if (_redis.Replicas.IsRequired && reply.Value[2] != reply.Value[1]) return;
        _confirmed.Set(user, new ConfirmedAssignment(reply.Value[0].ToString(), epoch, _clock.GetTimestamp()));
    }

    private async Task<SessionTicket> TryOpenSessionAsync(UserName user, SessionRecord session, string? preferred, CancellationToken cancellationToken)
    {
        var askedAt = Stopwatch.GetTimestamp();
        if (_lease.Current is not { } incarnation) return Remembered(user, session) with { AskedAt = askedAt };
        SessionTicket ticket;
        try
        {
            var reply = await OpenAsync("open_session", user, session, incarnation, preferred, cancellationToken);
            if (!reply.Succeeded) return Remembered(user, session) with { AskedAt = askedAt };
            ticket = await ReadAsync(user, reply.Value, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ledger.CloseLater(user, session.Id);
            throw;
        }
        if (ticket.Outcome == DirectoryOutcome.Assigned) _ledger.Opened(user, session, incarnation.Epoch);
        // The script cannot know our nodes, nor what replicas have: it has registered a session that goes nowhere.
        else if (ticket.Outcome is DirectoryOutcome.NoNode or DirectoryOutcome.NodeDown or DirectoryOutcome.Unconfirmed) await _ledger.CloseAsync(user, session.Id);
        return ticket with { AskedAt = askedAt };
    }

    /// <summary>The node the user is on, or the one they would be given; nothing is assigned.</summary>
    /// <returns><c>null</c> when that cannot be told, or the node is none of ours or down.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<BackendNode?> FindNodeAsync(UserName user, CancellationToken cancellationToken)
    {
        var reply = await _redis.CallAsync("find_node", database => database.HashGetAsync(RedisKeys.Assignment(user), "node"), cancellationToken);
        if (!reply.Succeeded) return null;
        if (reply.Value.IsNull) return RendezvousHash.Pick(user, _options.DefaultPool, _health.WellOf(_nodes.Current.Takers));
        return _nodes.Current.Find(reply.Value.ToString()) is { State: not NodeState.Down } found ? Failover?.FindOther(user, found.Node) ?? found.Node : null;
    }

    /// <summary>Whether the user has a node.</summary>
    /// <returns><c>null</c> when that cannot be told.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<bool?> IsAssignedAsync(UserName user, CancellationToken cancellationToken)
    {
        var reply = await _redis.CallAsync("find_node", database => database.HashGetAsync(RedisKeys.Assignment(user), "node"), cancellationToken);
        return reply.Succeeded ? !reply.Value.IsNull : null;
    }

    /// <summary>Takes the session's record out. Never throws: where Redis is away the record ends with the incarnation's lease, or is taken out later.</summary>
    public Task CloseSessionAsync(UserName user, string sessionId) => _ledger.CloseAsync(user, sessionId);

    /// <summary>As <see cref="CloseSessionAsync"/>, for whoever does not wait for it.</summary>
    public void SessionEnded(UserName user, string sessionId) => _ledger.Ended(user, sessionId);

    private Func<Task<SessionTicket>> Watched(UserName user, Func<Task<SessionTicket>> ask, Func<Task> leave, CancellationToken cancellationToken) =>
        Failover?.Before(user, ask, leave, cancellationToken) ?? ask;

    private async Task<SessionTicket> TryAssignAsync(UserName user, CancellationToken cancellationToken)
    {
        var reply = await OpenAsync("assign", user, null, null, null, cancellationToken);
        return reply.Succeeded ? await ReadAsync(user, reply.Value, cancellationToken) : Remembered(user, null);
    }

    /// <summary>Gives the lease back, which ends every session record of this director, and ends the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ledger.WaitForEndedAsync();
        await _lease.DisposeAsync();
    }

    private Task<RedisReply<RedisResult>> OpenAsync(string operation, UserName user, SessionRecord? session, Incarnation? incarnation, string? preferred, CancellationToken cancellationToken)
    {
        // Should Redis have lost the map, what we last saw is better than a new draw: the mail is there (and its epoch must not fall).
        var isRemembered = _confirmed.TryGet(user, out var known);
        var (candidate, epoch) = isRemembered
            ? (known!.Node, known.Epoch)
            : (preferred is not null ? _nodes.Current.Find(preferred)?.Node.Name ?? "" : RendezvousHash.Pick(user, _options.DefaultPool, _health.WellOf(_nodes.Current.Takers))?.Name ?? "", FirstEpoch);
        RedisKey[] keys = [RedisKeys.Assignment(user), RedisKeys.Sessions(user)];
        RedisValue[] arguments =
        [
            candidate, epoch, session?.Id ?? "", session is null ? "" : SessionValue.Format(incarnation!, session), session?.ClientAddress ?? "",
            _options.MaxSessionsPerUserAddress, incarnation?.LiveEpochs ?? "", incarnation?.NewestEpoch ?? 0,
            isRemembered ? 1 : 0, _options.MaxSessionsPerUser,
        ];
        return _redis.RunAsync(operation, RedisScripts.Open, keys, arguments, cancellationToken);
    }

    private async ValueTask<SessionTicket> ReadAsync(UserName user, RedisResult result, CancellationToken cancellationToken)
    {
        var answer = (RedisValue[])result!;
        var name = answer[1].ToString();
        if (answer[0] == "none") return new SessionTicket(DirectoryOutcome.NoNode, null, 0);
        // What Redis says is data: only a node of the registry is ever connected to, and an epoch that no move can raise is none.
        if (_nodes.Current.Find(name) is not { } found || !long.TryParse(answer[2].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) || epoch is < FirstEpoch or >= 2 * MapRebuild.MaxEpoch)
        {
            _confirmed.Remove(user);
            Log.ForeignAssignment(_logger, user);
            return new SessionTicket(DirectoryOutcome.NoNode, null, 0);
        }
        if (answer[3] == "back") Log.BroughtBack(_logger, user, name, epoch);
        var isDurable = answer[4] == "1" || await IsDurableAsync(user, new HeldAssignment(name, epoch), isNew: answer[3] != "kept", isUsed: answer[0] == "ok", cancellationToken);
        if (isDurable) _confirmed.Set(user, new ConfirmedAssignment(name, epoch, _clock.GetTimestamp()));
        if (answer[0] == "moving") return new SessionTicket(DirectoryOutcome.Moving, null, epoch);
        if (found.State == NodeState.Down) return new SessionTicket(DirectoryOutcome.NodeDown, null, epoch);
        if (answer[0] == "limit") return new SessionTicket(DirectoryOutcome.LimitReached, null, epoch);
        if (answer[0] == "user_limit") return new SessionTicket(DirectoryOutcome.UserLimitReached, null, epoch);
        return isDurable ? new SessionTicket(DirectoryOutcome.Assigned, found.Node, epoch) : new SessionTicket(DirectoryOutcome.Unconfirmed, null, epoch);
    }

    /// <summary>Whether an assignment that is not known to be with the replicas may be used: a failover would lose it otherwise, and the user be sent elsewhere.</summary>
    private async ValueTask<bool> IsDurableAsync(UserName user, HeldAssignment assignment, bool isNew, bool isUsed, CancellationToken cancellationToken)
    {
        var replicas = _redis.Replicas;
        if (!replicas.IsRequired && (!isNew || (await replicas.LookAsync(cancellationToken) && !replicas.IsRequired))) return true;
        return isUsed && await replicas.ConfirmAsync(user, cancellationToken) == assignment;
    }

    private SessionTicket Remembered(UserName user, SessionRecord? session)
    {
        var isKnown = _confirmed.TryGet(user, out var known) && _clock.GetElapsedTime(known.At) < _options.AssignmentCacheAge;
        if (isKnown && _nodes.Current.Find(known!.Node) is { State: not NodeState.Down } found)
        {
            if (session is not null) _ledger.Opened(user, session, 0);
            return new SessionTicket(DirectoryOutcome.Assigned, found.Node, known.Epoch);
        }
        // A call that was not answered may have registered the session.
        if (session is not null) _ledger.CloseLater(user, session.Id);
        return isKnown ? new SessionTicket(DirectoryOutcome.NodeDown, null, known!.Epoch) : new SessionTicket(DirectoryOutcome.Unavailable, null, 0);
    }

    private sealed record ConfirmedAssignment(string Node, long Epoch, long At);

    private static partial class Log
    {
        [LoggerMessage(3021, LogLevel.Error, "User {User} is assigned to a node that there is not, or the record is broken")]
        public static partial void ForeignAssignment(ILogger logger, UserName user);

        [LoggerMessage(3022, LogLevel.Warning, "Redis had lost a move of {User}: they are at {Node} with epoch {Epoch} again, as this director remembers")]
        public static partial void BroughtBack(ILogger logger, UserName user, string node, long epoch);
    }
}

/// <summary>What Redis keeps of a session.</summary>
/// <param name="Id">The connection's id.</param>
/// <param name="ClientAddress">The client's address without port.</param>
/// <param name="Started">When it logged in.</param>
internal sealed record SessionRecord(string Id, string ClientAddress, DateTimeOffset Started)
{
    /// <summary>The version of TLS between the client and the director, as <c>1.3</c>; <c>null</c> without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>How the user has proved who they are, as metrics call it.</summary>
    public string? Mechanism { get; init; }

    /// <summary>What the client has called itself before the login; <c>null</c> where it has not.</summary>
    public string? ClientName { get; init; }

    /// <summary>The master who has logged in as the user; <c>null</c> where it was the user.</summary>
    public UserName? Master { get; init; }
}

/// <summary>Where a session may go, or why not.</summary>
/// <param name="Outcome">Whether there is a node.</param>
/// <param name="Node">The node, when <see cref="DirectoryOutcome.Assigned"/>.</param>
/// <param name="Epoch">The assignment's epoch.</param>
internal readonly record struct SessionTicket(DirectoryOutcome Outcome, BackendNode? Node, long Epoch)
{
    /// <summary>When Redis was asked for it, for the last time, by <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public long AskedAt { get; init; }

    /// <summary>Whether it says the same of the user. When it was asked for has no part in that.</summary>
    public bool Equals(SessionTicket other) => (Outcome, Node, Epoch) == (other.Outcome, other.Node, other.Epoch);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Outcome, Node, Epoch);
}

/// <summary>Every way the directory can answer.</summary>
internal enum DirectoryOutcome
{
    /// <summary>There is a node.</summary>
    Assigned,
    /// <summary>Too many sessions of this user from this address: <c>NO [LIMIT]</c>.</summary>
    LimitReached,
    /// <summary>Too many sessions of this user: <c>NO [LIMIT]</c>.</summary>
    UserLimitReached,
    /// <summary>Too many sessions from this address: <c>NO [LIMIT]</c>.</summary>
    AddressLimitReached,
    /// <summary>Too many sessions at this node: <c>NO [LIMIT]</c>.</summary>
    NodeLimitReached,
    /// <summary>There is no such node as the assigned one (limits R1), or the pool has no node with weight: <c>NO [UNAVAILABLE]</c>.</summary>
    NoNode,
    /// <summary>The user's node was taken down by an operator: <c>NO [UNAVAILABLE]</c>.</summary>
    NodeDown,
    /// <summary>The user moves, and it took too long, or too many wait already: <c>NO [UNAVAILABLE]</c>.</summary>
    Moving,
    /// <summary>The assignment is new or was changed, and no replica of Redis has said in time that it has it: <c>NO [UNAVAILABLE]</c>.</summary>
    Unconfirmed,
    /// <summary>Redis is away and nothing confirmed is cached: <c>NO [UNAVAILABLE]</c>.</summary>
    Unavailable,
}
