using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Throttling;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Relay;

/// <summary>The sessions of this director, from the moment that the directory knows of them.</summary>
internal sealed class LiveSessions
{
    // A session is in the directory a moment before it is here: a move that ends sessions in between meets it when it arrives.
    private static readonly TimeSpan RememberMoves = TimeSpan.FromSeconds(30);
    // Whoever was kicked must log in again. How long a client may take for that has an end, which is an hour at most.
    private static readonly TimeSpan RememberKicks = TimeSpan.FromHours(1);
    private const int MostRemembered = 1000;

    private readonly ConcurrentDictionary<LiveSession, bool> _sessions = new();
    private readonly Queue<(SessionFilter Filter, long At)> _kicks = new();
    private readonly Queue<(SessionFilter Filter, long At)> _moves = new();
    private readonly Lock _lock = new();
    // The newest of each user's, which leads to the others.
    private readonly Dictionary<UserName, LiveSession> _users = [];
    private readonly Dictionary<string, int> _nodes = [];
    private readonly Dictionary<IPAddress, int> _networks = [];

    public int Count => _sessions.Count;

    public void Add(LiveSession session)
    {
        lock (_lock)
            if (_sessions.TryAdd(session, true)) Note(session, 1);
    }

    /// <summary>As <see cref="Add"/>, where the limits of its node, its address and its user leave room. The directory has looked at the user's already, unless it is away.</summary>
    /// <param name="session">The session.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="elsewhere">The sessions of other directors.</param>
    /// <param name="began">When the attempt to log in began, by <see cref="Stopwatch.GetTimestamp"/>: a kick since then is for it, too.</param>
    /// <returns><see cref="DirectoryOutcome.Assigned"/>, or the limit that is reached.</returns>
    public DirectoryOutcome TryAdd(LiveSession session, DirectorOptions limits, SessionCounts elsewhere, long began)
    {
        lock (_lock)
        {
            var (ofUser, fromThere) = (0, 0);
            for (var other = _users.GetValueOrDefault(session.User); other is not null; other = other.Older)
            {
                ofUser++;
                if (other.Address.Equals(session.Address)) fromThere++;
            }
            if (ofUser >= limits.MaxSessionsPerUser) return DirectoryOutcome.UserLimitReached;
            if (fromThere >= limits.MaxSessionsPerUserAddress) return DirectoryOutcome.LimitReached;
            if (limits.MaxSessionsPerNode > 0 && _nodes.GetValueOrDefault(session.Home) + elsewhere.Nodes.GetValueOrDefault(session.Home) >= limits.MaxSessionsPerNode)
                return DirectoryOutcome.NodeLimitReached;
            if (limits.MaxSessionsPerAddress > 0 && !AddressList.Contains(limits.Throttle.ExemptNetworks, session.Address)
                && _networks.GetValueOrDefault(session.Network) + elsewhere.Addresses.GetValueOrDefault(session.Network.ToString()) >= limits.MaxSessionsPerAddress)
                return DirectoryOutcome.AddressLimitReached;
            Add(session);
            if (IsMeant(session, _kicks, began) || IsMeant(session, _moves, session.AskedAt)) session.Kick();
            return DirectoryOutcome.Assigned;
        }
    }

    public void Remove(LiveSession session)
    {
        lock (_lock)
        {
            if (!_sessions.TryRemove(session, out _)) return;
            session.HasEnded = true;
            Note(session, -1);
        }
    }

    /// <summary>How many there are at each node, and from each address.</summary>
    public SessionCounts Counts()
    {
        Dictionary<string, int> nodes;
        Dictionary<IPAddress, int> networks;
        lock (_lock) (nodes, networks) = (new(_nodes), new(_networks));
        // Their names are made behind the lock, which threads that relay wait for.
        return new SessionCounts(nodes, networks.ToDictionary(static network => network.Key.ToString(), static network => network.Value));
    }

    /// <summary>Those of this moment.</summary>
    public LiveSession[] Snapshot() => [.. _sessions.Keys];

    /// <summary>One after the other, without a copy of all: who comes or goes meanwhile is there or not.</summary>
    public IEnumerable<LiveSession> All => _sessions.Select(static entry => entry.Key);

    /// <summary>Whether a user has more than one of them.</summary>
    public bool HasSeveral(UserName user)
    {
        lock (_lock) return _users.GetValueOrDefault(user)?.Older is not null;
    }

    /// <summary>Ends the sessions that are meant, and those that the directory has been asked for already and that are not here yet.</summary>
    /// <returns>How many were here.</returns>
    public int Kick(SessionFilter filter)
    {
        lock (_lock)
        {
            var (same, age) = filter.IsOfMove ? (_moves, RememberMoves) : (_kicks, RememberKicks);
            while (same.TryPeek(out var oldest) && (same.Count >= MostRemembered || Stopwatch.GetElapsedTime(oldest.At) > age)) same.Dequeue();
            same.Enqueue((filter, Stopwatch.GetTimestamp()));
        }
        var kicked = 0;
        foreach (var (session, _) in _sessions)
        {
            if (!filter.Matches(session.User, session.Node, session.Address)) continue;
            session.Kick();
            kicked++;
        }
        return kicked;
    }

    private static bool IsMeant(LiveSession session, Queue<(SessionFilter Filter, long At)> kicks, long since)
    {
        foreach (var (filter, at) in kicks)
            if (at >= since && filter.Matches(session.User, session.Node, session.Address)) return true;
        return false;
    }

    private void Note(LiveSession session, int more)
    {
        if (more > 0) Link(session);
        else Unlink(session);
        Note(_nodes, session.Home, more);
        Note(_networks, session.Network, more);
    }

    private void Link(LiveSession session)
    {
        session.Older = _users.GetValueOrDefault(session.User);
        _users[session.User] = session;
    }

    private void Unlink(LiveSession session)
    {
        var newer = _users[session.User];
        if (newer != session)
        {
            while (newer.Older != session) newer = newer.Older!;
            newer.Older = session.Older;
        }
        else if (session.Older is { } older) _users[session.User] = older;
        else _users.Remove(session.User);
        session.Older = null;
    }

    private static void Note<T>(Dictionary<T, int> counts, T key, int more) where T : notnull
    {
        var count = counts.GetValueOrDefault(key) + more;
        if (count == 0) counts.Remove(key);
        else counts[key] = count;
    }
}

/// <summary>A session that can be told to end, also while it is still logging in at the node: it ends then as soon as it is relayed.</summary>
internal sealed class LiveSession(UserName user, string node, IPAddress address)
{
    private volatile string _node = node;
    private volatile bool _hasEnded;
    private SessionRelay? _relay;
    private int _isKicked;

    /// <summary>When Redis was asked for it, by <see cref="Stopwatch.GetTimestamp"/>: for the last time, where the login has waited for a move, which kicks too.</summary>
    public long AskedAt { get; init; } = Stopwatch.GetTimestamp();

    /// <summary>The one before it of the same user; of <see cref="LiveSessions"/>, under its lock.</summary>
    public LiveSession? Older { get; set; }

    /// <summary>Whether it is no longer one of <see cref="LiveSessions"/>, which says so.</summary>
    public bool HasEnded { get => _hasEnded; set => _hasEnded = value; }

    /// <summary>What Redis has been told of it last; of <see cref="SessionReports"/>. Here, and not in a map there: idle sessions are many.</summary>
    public SessionTraffic? Told { get; set; }

    /// <summary>What it has moved, and where.</summary>
    public SessionTraffic Traffic => new(BytesToNode, BytesToClient, Node);

    /// <summary>The connection's id.</summary>
    public string Id { get; init; } = "";

    public UserName User => user;

    /// <summary>The node it was admitted to, whichever it is referred to.</summary>
    public string Home { get; } = node;

    /// <summary>The user's node, or the one that it has referred to.</summary>
    public string Node { get => _node; set => _node = value; }

    public IPAddress Address => address;

    /// <summary>The address, or its IPv6 /64.</summary>
    public IPAddress Network { get; } = LoginThrottle.NetworkOf(address);

    /// <summary>Bytes passed to the node.</summary>
    public long BytesToNode => Volatile.Read(ref _relay)?.BytesToNode ?? 0;

    /// <summary>Bytes passed to the client.</summary>
    public long BytesToClient => Volatile.Read(ref _relay)?.BytesToClient ?? 0;

    /// <summary>Whether it has been told.</summary>
    public bool IsKicked => Volatile.Read(ref _isKicked) != 0;

    /// <summary>From here on the relay is what is told.</summary>
    public void Attach(SessionRelay relay)
    {
        Interlocked.Exchange(ref _relay, relay);
        // Either this sees the kick, or the kick sees the relay; told twice it ends all the same.
        if (IsKicked) relay.Kick();
    }

    public void Kick()
    {
        Interlocked.Exchange(ref _isKicked, 1);
        Volatile.Read(ref _relay)?.Kick();
    }
}
