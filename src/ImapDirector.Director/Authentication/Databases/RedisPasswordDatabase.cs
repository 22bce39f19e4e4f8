using System.Globalization;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Authentication;

/// <summary>Accounts as Redis hashes.</summary>
internal sealed class RedisPasswordDatabase(RedisConnection redis) : IPasswordDatabase
{
    private const int MaxValueBytes = 4096;
    private static readonly RedisValue[] Fields = ["password", "disabled", "created", "scram-sha-256", "scram-sha-1"];

    /// <inheritdoc />
    public string Name => "redis";

    /// <inheritdoc />
    public async ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
    {
        var reply = await FindAsync(question.User, cancellationToken);
        if (!reply.Succeeded) return DatabaseAnswer.Failure;
        return reply.Value is { } account ? DatabaseAnswer.Of(account) : DatabaseAnswer.NoSuchUser;
    }

    /// <summary>Reads an account. The reply's value is <c>null</c> when there is none; it has not succeeded when Redis is away.</summary>
    public async Task<RedisReply<Account?>> FindAsync(UserName user, CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("account", database => database.HashGetAsync(RedisKeys.Account(user), Fields), cancellationToken);
        if (!reply.Succeeded) return default;
        if (reply.Value[0].IsNull) return new RedisReply<Account?>(true, null);
        var disabled = !reply.Value[1].IsNullOrEmpty && reply.Value[1] != "0";
        return new RedisReply<Account?>(true, new Account(ReadText(reply.Value[0]) ?? "", disabled, ReadTime(reply.Value[2]))
        {
            ScramSha256 = ReadText(reply.Value[3]),
            ScramSha1 = ReadText(reply.Value[4]),
        });
    }

    /// <summary>Makes an account; the value says whether there was none.</summary>
    public Task<RedisReply<bool>> AddAsync(UserName user, string password, DateTimeOffset created, CancellationToken cancellationToken) =>
        redis.CallAsync("add_account", async database => (bool)await database.ScriptEvaluateAsync(RedisScripts.AddAccount,
            [RedisKeys.Account(user)], [password, created.ToUnixTimeSeconds()]), cancellationToken);

    /// <summary>Changes a password; the value says whether there is an account.</summary>
    public Task<RedisReply<bool>> SetPasswordAsync(UserName user, string password, CancellationToken cancellationToken) =>
        redis.CallAsync("set_password", async database => (bool)await database.ScriptEvaluateAsync(RedisScripts.SetPassword,
            [RedisKeys.Account(user)], [password]), cancellationToken);

    /// <summary>Stores the same password in another way; the value says whether it was still the one that was read.</summary>
    public Task<RedisReply<bool>> UpgradeAsync(UserName user, string expected, string password, string scramSha256, string scramSha1, CancellationToken cancellationToken) =>
        redis.CallAsync("upgrade_account", async database => (bool)await database.ScriptEvaluateAsync(RedisScripts.UpgradeAccount,
            [RedisKeys.Account(user)], [expected, password, scramSha256, scramSha1]), cancellationToken);

    /// <summary>Refuses or allows logins; the value says whether there is an account.</summary>
    public Task<RedisReply<bool>> DisableAsync(UserName user, bool isDisabled, CancellationToken cancellationToken) =>
        redis.CallAsync("disable_account", async database => (bool)await database.ScriptEvaluateAsync(RedisScripts.DisableAccount,
            [RedisKeys.Account(user)], [isDisabled ? "1" : "0"]), cancellationToken);

    /// <summary>Removes an account; the value says whether there was one.</summary>
    public Task<RedisReply<bool>> RemoveAsync(UserName user, CancellationToken cancellationToken) =>
        redis.CallAsync("remove_account", database => database.KeyDeleteAsync(RedisKeys.Account(user)), cancellationToken);

    // A value too long for a password hash is not worth reading (limits R7).
    private static string? ReadText(RedisValue value) => value.IsNull || value.Length() > MaxValueBytes ? null : value.ToString();

    private static DateTimeOffset ReadTime(RedisValue value) =>
        long.TryParse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds) : DateTimeOffset.UnixEpoch;
}
