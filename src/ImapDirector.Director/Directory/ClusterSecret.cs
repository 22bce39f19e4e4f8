using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>A secret that all directors of a Redis share: the first of them makes it. What is derived from it is the same at each, and over restarts.</summary>
internal sealed class ClusterSecret(RedisConnection redis)
{
    private const int Bytes = 32;

    private readonly ConcurrentDictionary<string, byte[]> _keys = new();
    private volatile byte[]? _secret;

    /// <summary>A key for one purpose; <c>null</c> while Redis has not told the secret yet.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<byte[]?> KeyForAsync(string purpose, CancellationToken cancellationToken)
    {
        if (_keys.TryGetValue(purpose, out var key)) return key;
        _secret ??= await LoadAsync(cancellationToken);
        return _secret is { } secret ? _keys.GetOrAdd(purpose, static (name, from) => HMACSHA256.HashData(from, Encoding.ASCII.GetBytes(name)), secret) : null;
    }

    private async Task<byte[]?> LoadAsync(CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("secret", async database =>
        {
            await database.StringSetAsync(RedisKeys.Secret, Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes)), when: When.NotExists);
            return await database.StringGetAsync(RedisKeys.Secret);
        }, cancellationToken);
        var secret = new byte[Bytes];
        return reply.Succeeded && Convert.TryFromBase64String(reply.Value.ToString(), secret, out var length) && length == Bytes ? secret : null;
    }
}
