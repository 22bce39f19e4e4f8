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
        var found = new List<ClusterSession>();
        foreach (var some in users.Order(StringComparer.Ordinal).Chunk(LookUpsAtOnce))
        {
            foreach (var sessions in await Task.WhenAll(some.Select(user => OfUserAsync(user, live, cancellationToken))))
            {
                if (sessions is null) return null;
                found.AddRange(sessions.Where(session => filter.Matches(session.User, session.Node, IPAddress.TryParse(session.ClientAddress, out var address) ? address : null)));
            }
        }
        return found;
    }

    private async Task<List<ClusterSession>?> OfUserAsync(string name, HashSet<string> live, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(name, null, out var user)) return [];
        var node = await _redis.CallAsync("sessions", database => database.HashGetAsync(RedisKeys.Assignment(user), "node"), cancellationToken);
        var entries = await _redis.CallAsync("sessions", database => database.HashGetAllAsync(RedisKeys.Sessions(user)), cancellationToken);
        if (!node.Succeeded || !entries.Succeeded) return null;
        var sessions = new List<ClusterSession>();
        foreach (var entry in entries.Value)
        {
            if (SessionValue.TryParse(entry.Name.ToString(), entry.Value.ToString(), out var epoch, out var director, out var session)
                && live.Contains(string.Create(CultureInfo.InvariantCulture, $"{epoch} {director}")))
                sessions.Add(new ClusterSession(user, node.Value.IsNull ? null : node.Value.ToString(), session.Id, director, session.ClientAddress, session.Started));
        }
        return sessions;
    }
}

/// <summary>A session that runs.</summary>
/// <param name="User">Whose.</param>
/// <param name="Node">Where the user's mail is.</param>
/// <param name="Id">The connection's id at the director.</param>
/// <param name="Director">The director that relays it.</param>
/// <param name="ClientAddress">The client's address.</param>
/// <param name="Started">When it logged in.</param>
public sealed record ClusterSession(UserName User, string? Node, string Id, string Director, string ClientAddress, DateTimeOffset Started);
