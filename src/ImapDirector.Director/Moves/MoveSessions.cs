using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Moves;

/// <summary>Ends a user's sessions at all directors.</summary>
internal sealed class MoveSessions(RedisConnection redis, Func<Incarnation?> incarnation)
{
    /// <returns><c>false</c> when Redis does not answer.</returns>
    public async Task<bool> KickAsync(UserName user, CancellationToken cancellationToken) =>
        (await redis.CallAsync("kick", database => database.ScriptEvaluateAsync(RedisScripts.Kick, [RedisKeys.Kicks, RedisKeys.KickSequence],
            [new SessionFilter(user, null, null) { IsOfMove = true }.ToString(), RedisKeys.ClusterChannel]), cancellationToken)).Succeeded;

    /// <summary>The sessions that are left, of directors that are alive.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<int?> CountAsync(UserName user, CancellationToken cancellationToken)
    {
        if (incarnation() is not { } mine) return null;
        var reply = await redis.CallAsync("sweep", database => database.ScriptEvaluateAsync(RedisScripts.Sweep, [RedisKeys.Sessions(user)], [mine.LiveEpochs, mine.NewestEpoch]), cancellationToken);
        return reply.Succeeded ? (int)reply.Value : null;
    }
}
