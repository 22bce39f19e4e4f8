using System.Globalization;
using System.Net;
using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>Shows and ends sessions, of all directors.</summary>
public sealed class ClusterOrders
{
    private const int LookUpsAtOnce = 100;

    private readonly RedisConnection _redis;

    internal ClusterOrders(RedisConnection redis) => _redis = redis;

    /// <summary>Orders all directors to end the sessions that are meant.</summary>
    /// <returns><c>false</c> when Redis does not answer; the order may have been given all the same.</returns>
    public async Task<bool> KickAsync(SessionFilter filter, CancellationToken cancellationToken)
    {
        if (filter is { User: null, Node: null, Address: null }) throw new ArgumentException("Nothing says which sessions are meant.", nameof(filter));
        return (await _redis.CallAsync("kick", database => database.ScriptEvaluateAsync(RedisScripts.Kick, [RedisKeys.Kicks, RedisKeys.KickSequence],
            [filter.ToString(), RedisKeys.ClusterChannel]), cancellationToken)).Succeeded;
    }

    /// <summary>The sessions that run, of all directors.</summary>
    /// <param name="filter">Which are meant; with no field given, all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<ClusterSession>?> ListSessionsAsync(SessionFilter filter, CancellationToken cancellationToken)
    {
        var users = new HashSet<string>();
        if (filter.User is { } one) users.Add(one.Value);
        else if (!await _redis.ScanAsync(RedisKeys.AllSessions, key => { users.Add(RedisKeys.UserOfSessions(key)); return ValueTask.CompletedTask; }, cancellationToken)) return null;
        var leases = await _redis.CallAsync("sessions", database => database.SortedSetRangeByRankAsync(RedisKeys.Leases), cancellationToken);
        if (!leases.Succeeded) return null;
        var live = leases.Value.Select(static lease => lease.ToString()).ToHashSet();
        var found = new List<(ClusterSession Session, long Epoch)>();
        foreach (var some in users.Order(StringComparer.Ordinal).Chunk(LookUpsAtOnce))
        {
            foreach (var sessions in await Task.WhenAll(some.Select(user => OfUserAsync(user, live, cancellationToken))))
            {
                if (sessions is null) return null;
                found.AddRange(sessions);
            }
        }
        var all = new List<ClusterSession>(found.Count);
        foreach (var some in found.GroupBy(static entry => entry.Epoch, static entry => entry.Session).SelectMany(static director => director.Chunk(LookUpsAtOnce).Select(sessions => (director.Key, sessions))))
        {
            var traffic = await _redis.CallAsync("sessions", database => database.HashGetAsync(RedisKeys.Traffic(some.Key), [.. some.sessions.Select(static session => (RedisValue)session.Id)]), cancellationToken);
            if (!traffic.Succeeded) return null;
            all.AddRange(some.sessions.Zip(traffic.Value, WithTraffic));
        }
        return [.. all.Where(session => filter.Matches(session.User, session.Node, IPAddress.TryParse(session.ClientAddress, out var address) ? address : null))];
    }

    // Where the session goes is known better by who relays it: its node may have referred it to another.
    private static ClusterSession WithTraffic(ClusterSession session, RedisValue traffic) => SessionTraffic.TryParse(traffic.ToString(), out var moved)
        ? session with { Node = moved.Node, BytesToNode = moved.ToNode, BytesToClient = moved.ToClient } : session;

    private async Task<List<(ClusterSession Session, long Epoch)>?> OfUserAsync(string name, HashSet<string> live, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(name, null, out var user)) return [];
        var node = await _redis.CallAsync("sessions", database => database.HashGetAsync(RedisKeys.Assignment(user), "node"), cancellationToken);
        var entries = await _redis.CallAsync("sessions", database => database.HashGetAllAsync(RedisKeys.Sessions(user)), cancellationToken);
        if (!node.Succeeded || !entries.Succeeded) return null;
        var sessions = new List<(ClusterSession, long)>();
        foreach (var entry in entries.Value)
        {
            if (SessionValue.TryParse(entry.Name.ToString(), entry.Value.ToString(), out var epoch, out var director, out var session)
                && live.Contains(string.Create(CultureInfo.InvariantCulture, $"{epoch} {director}")))
                sessions.Add((new ClusterSession(user, node.Value.IsNull ? null : node.Value.ToString(), session.Id, director, session.ClientAddress, session.Started)
                {
                    Tls = session.Tls,
                    Mechanism = session.Mechanism,
                    ClientName = session.ClientName,
                    Master = session.Master,
                }, epoch));
        }
        return sessions;
    }
}

/// <summary>A session that runs.</summary>
/// <param name="User">Whose.</param>
/// <param name="Node">The node that it is at.</param>
/// <param name="Id">The connection's id at the director.</param>
/// <param name="Director">The director that relays it.</param>
/// <param name="ClientAddress">The client's address.</param>
/// <param name="Started">When it logged in.</param>
public sealed record ClusterSession(UserName User, string? Node, string Id, string Director, string ClientAddress, DateTimeOffset Started)
{
    /// <summary>The version of TLS between the client and the director, as <c>1.3</c>; <c>null</c> without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>How the user has proved who they are, as <c>imapdirector_logins_total</c> calls it.</summary>
    public string? Mechanism { get; init; }

    /// <summary>What the client has called itself before the login, with what cannot be shown as <c>\u{…}</c>; <c>null</c> where it has not.</summary>
    public string? ClientName { get; init; }

    /// <summary>The master who has logged in as the user; <c>null</c> where it was the user.</summary>
    public UserName? Master { get; init; }

    /// <summary>Bytes passed to the node, as of some seconds ago.</summary>
    public long BytesToNode { get; init; }

    /// <summary>Bytes passed to the client, as of some seconds ago.</summary>
    public long BytesToClient { get; init; }
}
