using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Directory;

/// <summary>The user → node map in Redis. One script does get-or-assign, the limit check and the session's registration in one round trip.</summary>
internal sealed class UserDirectory(DirectorOptions options, RedisConnection redis, ILoggerFactory loggers) : IAsyncDisposable
{
    /// <summary>Begins the loop that takes and renews this director's lease. Returns after the first attempt, whether or not Redis answered.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Finds the user's node (assigning one of the default pool by weighted rendezvous hashing where there is none) and registers the session.</summary>
    public Task<SessionTicket> OpenSessionAsync(UserName user, SessionRecord session, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Takes the session's record out. Never throws: where Redis is away the record ends with the incarnation's lease, or is taken out later.</summary>
    public Task CloseSessionAsync(UserName user, string sessionId) => throw new NotImplementedException();

    /// <summary>As <see cref="OpenSessionAsync"/> without a session: for deliveries.</summary>
    public Task<SessionTicket> AssignAsync(UserName user, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Gives the lease back, which ends every session record of this director, and ends the loop.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>What Redis keeps of a session.</summary>
/// <param name="Id">The connection's id.</param>
/// <param name="ClientAddress">The client's address without port.</param>
/// <param name="Started">When it logged in.</param>
internal sealed record SessionRecord(string Id, string ClientAddress, DateTimeOffset Started);

/// <summary>Where a session may go, or why not.</summary>
/// <param name="Outcome">Whether there is a node.</param>
/// <param name="Node">The node, when <see cref="DirectoryOutcome.Assigned"/>.</param>
/// <param name="Epoch">The assignment's epoch.</param>
internal readonly record struct SessionTicket(DirectoryOutcome Outcome, BackendNode? Node, long Epoch);

/// <summary>Every way the directory can answer.</summary>
internal enum DirectoryOutcome
{
    /// <summary>There is a node.</summary>
    Assigned,
    /// <summary>Too many sessions of this user from this address: <c>NO [LIMIT]</c>.</summary>
    LimitReached,
    /// <summary>The assigned node is not one of ours (limits R1), or the pool has no node with weight: <c>NO [UNAVAILABLE]</c>.</summary>
    NoNode,
    /// <summary>Redis is away and nothing confirmed is cached: <c>NO [UNAVAILABLE]</c>.</summary>
    Unavailable,
}
