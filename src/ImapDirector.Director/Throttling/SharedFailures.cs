using ImapDirector.Director.Directory;
using StackExchange.Redis;

namespace ImapDirector.Director.Throttling;

/// <summary>The ledger of all directors, in Redis, by Redis' clock: one script a step, and no more keys than there are buckets.</summary>
internal sealed class SharedFailures(RedisConnection redis) : IFailureLedger
{
    /// <inheritdoc />
    public async ValueTask<ThrottleState?> EnterAsync(IReadOnlyList<ThrottleKey> keys, CancellationToken cancellationToken)
    {
        RedisValue[] arguments = [.. keys.SelectMany(key => new RedisValue[] { key.Limit, (long)key.Spacing.TotalMilliseconds, key.IsOfThoseWhoFailed ? 1 : 0 })];
        var reply = await redis.CallAsync("throttle_enter", database => database.ScriptEvaluateAsync(RedisScripts.ThrottleEnter, KeysOf(keys), arguments), cancellationToken);
        if (!reply.Succeeded) return null;
        var answer = (long[])reply.Value!;
        return new ThrottleState(TimeSpan.FromMilliseconds(answer[0]), [.. answer.Skip(1).Select(count => (int)count)], 0);
    }

    /// <inheritdoc />
    public async ValueTask<ThrottleState?> FailAsync(IReadOnlyList<ThrottleKey> keys, string guess, CancellationToken cancellationToken)
    {
        RedisKey[] all = [.. KeysOf(keys), RedisKeys.FailuresInMinute];
        RedisValue[] arguments = [guess, (long)LocalFailures.Memory.TotalMilliseconds, (guess.Length + 1) * LocalFailures.RememberedGuesses];
        var reply = await redis.CallAsync("throttle_fail", database => database.ScriptEvaluateAsync(RedisScripts.ThrottleFail, all, arguments), cancellationToken);
        if (!reply.Succeeded) return null;
        var answer = (long[])reply.Value!;
        return new ThrottleState(TimeSpan.Zero, [.. answer.Skip(1).Select(count => (int)count)], (int)answer[0]);
    }

    /// <inheritdoc />
    public async ValueTask ForgetAsync(IReadOnlyList<ThrottleKey> keys, CancellationToken cancellationToken) =>
        await redis.CallAsync("throttle_forget", database => database.ScriptEvaluateAsync(RedisScripts.ThrottleForget, KeysOf(keys)), cancellationToken);

    /// <summary>Remembers that a user has logged in from an address; whoever had the bucket before is forgotten.</summary>
    /// <inheritdoc cref="EnterAsync" path="/exception" />
    public async ValueTask RememberAsync(int bucket, string who, TimeSpan age, CancellationToken cancellationToken) =>
        await redis.CallAsync("throttle_remember", database => database.StringSetAsync(RedisKeys.KnownAt(bucket), who, age), cancellationToken);

    /// <summary>Whether that is remembered.</summary>
    /// <inheritdoc cref="EnterAsync" path="/exception" />
    public async ValueTask<bool> IsKnownAsync(int bucket, string who, CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("throttle_known", database => database.StringGetAsync(RedisKeys.KnownAt(bucket)), cancellationToken);
        return reply.Succeeded && reply.Value == who;
    }

    private static RedisKey[] KeysOf(IReadOnlyList<ThrottleKey> keys) => [.. keys.Select(key => RedisKeys.Failures(key.Kind switch
    {
        ThrottleKind.Address => "a",
        ThrottleKind.Network => "n",
        ThrottleKind.User => "u",
        _ => "p",
    }, key.Bucket))];
}
