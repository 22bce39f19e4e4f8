using System.Security.Cryptography;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Sasl;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>At a login, when the password is at hand: stores it anew where the hash costs less to guess at than a new one would, and makes what SCRAM needs.
/// Only Redis is ours to write.</summary>
internal sealed partial class HashUpgrade(AuthenticationOptions options, PasswordHasher hasher, ILogger<HashUpgrade> logger)
{
    private const int SaltBytes = 16;

    /// <summary>Does what is to be done. A login goes on whether or not it could be.</summary>
    /// <returns>The account as it is stored now.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<Account> ApplyAsync(IPasswordDatabase database, UserName user, Account account, PasswordHash hash, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        if (database is not RedisPasswordDatabase redis) return account;
        var isWeak = options.UpgradeHashes && hasher.IsWeak(hash);
        if (!isWeak && Missing(account, hash, password.Span).Count == 0) return account;

        var stored = account.Password;
        if (isWeak)
        {
            if (await hasher.HashAsync(password, cancellationToken) is not { } stronger) return account;
            stored = stronger.ToText();
        }
        var upgraded = account with { Password = stored };
        foreach (var name in Missing(upgraded, hash, password.Span))
        {
            var made = await hasher.TakeTurnAsync(password, HashRank.First, copy =>
                Task.FromResult(ScramVerifier.Create(name, copy, RandomNumberGenerator.GetBytes(SaltBytes), options.ScramIterations)), cancellationToken);
            if (made is null) break;
            var field = ScramField.Write(made, stored);
            upgraded = name == ScramHashName.Sha256 ? upgraded with { ScramSha256 = field } : upgraded with { ScramSha1 = field };
        }
        var reply = await redis.UpgradeAsync(user, account.Password, stored, upgraded.ScramSha256 ?? "", upgraded.ScramSha1 ?? "", cancellationToken);
        if (!reply.Succeeded || !reply.Value) return account;
        Log.Upgraded(logger, user, hash.Scheme, isWeak);
        return upgraded;
    }

    private List<ScramHashName> Missing(Account account, PasswordHash hash, ReadOnlySpan<byte> password)
    {
        var missing = new List<ScramHashName>();
        if (!options.MakeScramVerifiers || hash is ScramHash || !ScramField.CanBeMadeOf(password)) return missing;
        if (options.Offers("SCRAM-SHA-256") && IsOutdated(account.ScramSha256, account.Password)) missing.Add(ScramHashName.Sha256);
        if (options.Offers("SCRAM-SHA-1") && IsOutdated(account.ScramSha1, account.Password)) missing.Add(ScramHashName.Sha1);
        return missing;
    }

    // Whose iterations are others' than a stranger's is told apart from one. What others have put there stays as it is.
    private bool IsOutdated(string? field, string storedPassword) =>
        ScramField.Read(field, storedPassword) is not { } verifier || (verifier.Iterations != options.ScramIterations && ScramField.IsOurs(field!));

    private static partial class Log
    {
        [LoggerMessage(3103, LogLevel.Information, "What is stored for {User}, {Scheme}, is renewed (as Argon2id: {IsReplaced})")]
        public static partial void Upgraded(ILogger logger, UserName user, PasswordScheme scheme, bool isReplaced);
    }
}
