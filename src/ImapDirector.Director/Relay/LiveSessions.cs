using System.Collections.Concurrent;
using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Relay;

/// <summary>The sessions of this director, from the moment that the directory knows of them.</summary>
internal sealed class LiveSessions
{
    private readonly ConcurrentDictionary<LiveSession, bool> _sessions = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<UserName, int> _users = [];

    public int Count => _sessions.Count;

    public void Add(LiveSession session)
    {
        if (_sessions.TryAdd(session, true)) Note(session.User, 1);
    }

    public void Remove(LiveSession session)
    {
        if (_sessions.TryRemove(session, out _)) Note(session.User, -1);
    }

    /// <summary>Those of this moment.</summary>
    public LiveSession[] Snapshot() => [.. _sessions.Keys];

    /// <summary>Whether a user has more than one of them.</summary>
    public bool HasSeveral(UserName user)
    {
        lock (_lock) return _users.GetValueOrDefault(user) > 1;
    }

    /// <summary>Ends the sessions that are meant.</summary>
    /// <returns>How many they are.</returns>
    public int Kick(SessionFilter filter)
    {
        var kicked = 0;
        foreach (var (session, _) in _sessions)
        {
            if (!filter.Matches(session.User, session.Node, session.Address)) continue;
            session.Kick();
            kicked++;
        }
        return kicked;
    }

    private void Note(UserName user, int more)
    {
        lock (_lock)
        {
            var count = _users.GetValueOrDefault(user) + more;
            if (count == 0) _users.Remove(user);
            else _users[user] = count;
        }
    }
}

/// <summary>A session that can be told to end, also while it is still logging in at the node: it ends then as soon as it is relayed.</summary>
internal sealed class LiveSession(UserName user, string node, IPAddress address)
{
    private readonly Lock _lock = new();
    private volatile string _node = node;
    private SessionRelay? _relay;
    private bool _isKicked;

    public UserName User => user;

    /// <summary>The user's node, or the one that it has referred to.</summary>
    public string Node { get => _node; set => _node = value; }

    public IPAddress Address => address;

    /// <summary>Whether it has been told.</summary>
    public bool IsKicked
    {
        get
        {
            lock (_lock) return _isKicked;
        }
    }

    /// <summary>From here on the relay is what is told.</summary>
    public void Attach(SessionRelay relay)
    {
        lock (_lock)
        {
            _relay = relay;
            if (_isKicked) relay.Kick();
        }
    }

    public void Kick()
    {
        lock (_lock)
        {
            _isKicked = true;
            _relay?.Kick();
        }
    }
}
