using System.Globalization;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Authentication;

/// <summary>Accounts as Redis hashes.</summary>
internal sealed class RedisPasswordDatabase(RedisConnection redis)
{
    private const int MaxValueBytes = 4096;
    private static readonly RedisValue[] Fields = ["password", "disabled", "created"];

    /// <summary>Reads an account. The reply's value is <c>null</c> when there is none; it has not succeeded when Redis is away.</summary>
    public async Task<RedisReply<Account?>> FindAsync(UserName user, CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("account", database => database.HashGetAsync(RedisKeys.Account(user), Fields), cancellationToken);
        if (!reply.Succeeded) return default;
        var password = reply.Value[0];
        if (password.IsNull) return new RedisReply<Account?>(true, null);
        // A value too long for a password hash is not worth reading (limits R7).
        var text = password.Length() <= MaxValueBytes ? password.ToString() : "";
        var disabled = !reply.Value[1].IsNullOrEmpty && reply.Value[1] != "0";
        return new RedisReply<Account?>(true, new Account(text, disabled, ReadTime(reply.Value[2])));
    }

    /// <summary>Makes an account; the value says whether there was none.</summary>
    public Task<RedisReply<bool>> AddAsync(UserName user, PasswordHash password, DateTimeOffset created, CancellationToken cancellationToken) =>
        redis.CallAsync("add_account", async database => (bool)await database.ScriptEvaluateAsync(RedisScripts.AddAccount,
            [RedisKeys.Account(user)], [password.ToString(), created.ToUnixTimeSeconds()]), cancellationToken);

    /// <summary>Changes a password; the value says whether there is an account.</summary>
    public Task<RedisReply<bool>> SetPasswordAsync(UserName user, PasswordHash password, CancellationToken cancellationToken) =>
        redis.CallAsync("set_password", async database => (bool)await database.ScriptEvaluateAsync(RedisScripts.SetPassword,
            [RedisKeys.Account(user)], [password.ToString()]), cancellationToken);

    /// <summary>Removes an account; the value says whether there was one.</summary>
    public Task<RedisReply<bool>> RemoveAsync(UserName user, CancellationToken cancellationToken) =>
        redis.CallAsync("remove_account", database => database.KeyDeleteAsync(RedisKeys.Account(user)), cancellationToken);

    private static DateTimeOffset ReadTime(RedisValue value) =>
        long.TryParse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds) : DateTimeOffset.UnixEpoch;
}

/// <summary>An account as Redis has it.</summary>
/// <param name="Password">The PHC string, not yet parsed.</param>
/// <param name="IsDisabled">Whether logins are refused.</param>
/// <param name="Created">When it was made; the Unix epoch when Redis does not say.</param>
internal sealed record Account(string Password, bool IsDisabled, DateTimeOffset Created)
{
    /// <summary>Leaves the hash out.</summary>
    public override string ToString() => nameof(Account);
}
