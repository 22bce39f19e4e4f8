using System.Security.Cryptography;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Sasl;
using StackExchange.Redis;

namespace ImapDirector.Director.Authentication;

/// <summary>The accounts in Redis, as operators manage them.</summary>
public sealed class UserAccounts
{
    private readonly DirectorOptions _options;
    private readonly RedisConnection _redis;
    private readonly RedisPasswordDatabase _accounts;
    private readonly PasswordHasher _hasher;

    internal UserAccounts(DirectorOptions options, RedisConnection redis, RedisPasswordDatabase accounts, PasswordHasher hasher) =>
        (_options, _redis, _accounts, _hasher) = (options, redis, accounts, hasher);

    /// <summary>The schemes that <see cref="HashAsync"/> makes.</summary>
    public static IReadOnlyList<PasswordScheme> HashSchemes { get; } =
        [PasswordScheme.Argon2id, PasswordScheme.Bcrypt, PasswordScheme.Sha512Crypt, PasswordScheme.Sha256Crypt, PasswordScheme.Pbkdf2, PasswordScheme.ScramSha256, PasswordScheme.ScramSha1];

    /// <summary>Hashes a password, in Dovecot's notation with the scheme in braces.</summary>
    /// <param name="scheme">One of <see cref="HashSchemes"/>.</param>
    /// <param name="password">UTF-8, 1 to 1024 bytes (72 for bcrypt), of printable ASCII alone for SCRAM; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>null</c> when the password cannot be hashed so.</returns>
    public static async Task<string?> HashAsync(PasswordScheme scheme, byte[] password, CancellationToken cancellationToken)
    {
        // What bcrypt would cut off should not be thought to protect anything.
        if (password.Length is 0 or > Authenticator.MaxPasswordBytes || (scheme == PasswordScheme.Bcrypt && password.Length > BcryptHash.MaxPasswordBytes)) return null;
        if (scheme is PasswordScheme.ScramSha256 or PasswordScheme.ScramSha1 && !ScramField.CanBeMadeOf(password)) return null;
        var hasher = new PasswordHasher();
        return scheme switch
        {
            PasswordScheme.Argon2id => "{ARGON2ID}" + (await hasher.HashAsync(password, cancellationToken))!.ToText(),
            PasswordScheme.Bcrypt => "{BLF-CRYPT}" + BcryptHash.Make(password),
            PasswordScheme.Sha512Crypt => "{SHA512-CRYPT}" + ShaCryptHash.Make(password, isSha512: true),
            PasswordScheme.Sha256Crypt => "{SHA256-CRYPT}" + ShaCryptHash.Make(password, isSha512: false),
            PasswordScheme.Pbkdf2 => "{CRYPT}" + Pbkdf2Hash.Make(password),
            PasswordScheme.ScramSha256 or PasswordScheme.ScramSha1 => ScramVerifier.Create(scheme == PasswordScheme.ScramSha256 ? ScramHashName.Sha256 : ScramHashName.Sha1,
                password, RandomNumberGenerator.GetBytes(16), new AuthenticationOptions().ScramIterations).ToText(),
            _ => null,
        };
    }

    /// <summary>Makes an account.</summary>
    /// <param name="name">The user's name; <see cref="DirectorOptions.DefaultDomain"/> is added where it has no domain.</param>
    /// <param name="password">UTF-8, 1 to 1024 bytes; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<AccountOutcome> AddAsync(string name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) =>
        WithPasswordAsync(name, password, AccountOutcome.Exists,
            (user, hash) => _accounts.AddAsync(user, hash, DateTimeOffset.UtcNow, cancellationToken), cancellationToken);

    /// <summary>Gives an existing account a new password.</summary>
    /// <param name="name">The user's name.</param>
    /// <param name="password">UTF-8, 1 to 1024 bytes; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<AccountOutcome> SetPasswordAsync(string name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) =>
        WithPasswordAsync(name, password, AccountOutcome.NoSuchUser,
            (user, hash) => _accounts.SetPasswordAsync(user, hash, cancellationToken), cancellationToken);

    /// <summary>Calls <paramref name="onAccount"/> with the name of each account as it is found, in no order. An account that is
    /// made or removed meanwhile may or may not be among them; none comes twice.</summary>
    public async Task<AccountOutcome> ListAsync(Action<string> onAccount, CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>();
        var isComplete = await _redis.ScanAsync(RedisKeys.AllAccounts, key =>
        {
            var user = RedisKeys.UserOfAccount(key);
            if (seen.Add(user)) onAccount(user);
            return ValueTask.CompletedTask;
        }, cancellationToken);
        return isComplete ? AccountOutcome.Done : AccountOutcome.Unavailable;
    }

    /// <summary>What Redis knows of a user; the details are there when the outcome is <see cref="AccountOutcome.Done"/>.</summary>
    public async Task<(AccountOutcome Outcome, AccountDetails? Details)> ShowAsync(string name, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(name, _options.DefaultDomain, out var user)) return (AccountOutcome.InvalidName, null);
        var account = await _accounts.FindAsync(user, cancellationToken);
        if (!account.Succeeded) return (AccountOutcome.Unavailable, null);
        if (account.Value is null) return (AccountOutcome.NoSuchUser, null);
        var assignment = await _redis.CallAsync("show", database => database.HashGetAsync(RedisKeys.Assignment(user), ["node", "epoch"]), cancellationToken);
        if (!assignment.Succeeded) return (AccountOutcome.Unavailable, null);
        var node = assignment.Value[0];
        _ = long.TryParse(assignment.Value[1].ToString(), out var epoch);
        return (AccountOutcome.Done, new AccountDetails(user.Value, account.Value.Created, account.Value.IsDisabled,
            node.IsNull ? null : node.ToString(), epoch));
    }

    /// <summary>Removes the account. The assignment stays, because the mail is still on that node.</summary>
    public async Task<AccountOutcome> RemoveAsync(string name, CancellationToken cancellationToken) =>
        UserName.TryCreate(name, _options.DefaultDomain, out var user)
            ? Outcome(await _accounts.RemoveAsync(user, cancellationToken), AccountOutcome.NoSuchUser)
            : AccountOutcome.InvalidName;

    /// <summary>Refuses or allows logins. Mail still comes in, and sessions that run go on.</summary>
    /// <param name="name">The user's name.</param>
    /// <param name="isDisabled">Whether logins are refused.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<AccountOutcome> DisableAsync(string name, bool isDisabled, CancellationToken cancellationToken) =>
        UserName.TryCreate(name, _options.DefaultDomain, out var user)
            ? Outcome(await _accounts.DisableAsync(user, isDisabled, cancellationToken), AccountOutcome.NoSuchUser)
            : AccountOutcome.InvalidName;

    private async Task<AccountOutcome> WithPasswordAsync(string name, ReadOnlyMemory<byte> password, AccountOutcome otherwise,
        Func<UserName, string, Task<RedisReply<bool>>> change, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(name, _options.DefaultDomain, out var user)) return AccountOutcome.InvalidName;
        if (password.Length is 0 or > Authenticator.MaxPasswordBytes) return AccountOutcome.InvalidPassword;
        return await _hasher.HashAsync(password, cancellationToken) is { } hash
            ? Outcome(await change(user, hash.ToText()), otherwise)
            : AccountOutcome.Unavailable;
    }

    private static AccountOutcome Outcome(RedisReply<bool> reply, AccountOutcome otherwise) =>
        !reply.Succeeded ? AccountOutcome.Unavailable : reply.Value ? AccountOutcome.Done : otherwise;
}

/// <summary>Every way a change of an account can end.</summary>
public enum AccountOutcome
{
    /// <summary>It is done.</summary>
    Done,
    /// <summary>There is an account of this name already.</summary>
    Exists,
    /// <summary>There is no account of this name.</summary>
    NoSuchUser,
    /// <summary>The name has a character outside the alphabet, or is empty or too long.</summary>
    InvalidName,
    /// <summary>The password is empty or longer than 1024 bytes.</summary>
    InvalidPassword,
    /// <summary>Redis did not answer; the change may or may not have been made.</summary>
    Unavailable,
}

/// <summary>What Redis knows of a user.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="Created">When the account was made.</param>
/// <param name="IsDisabled">Whether logins are refused.</param>
/// <param name="Node">The name of the assigned node, or <c>null</c> before the first login or delivery.</param>
/// <param name="Epoch">The assignment's epoch, 0 without an assignment.</param>
public sealed record AccountDetails(string User, DateTimeOffset Created, bool IsDisabled, string? Node, long Epoch);
