using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>Checks a name and a password. An unknown user costs the same time as a wrong password; hashing runs on a bounded number of threads.</summary>
internal sealed partial class Authenticator
{
    private readonly DirectorOptions _options;
    private readonly RedisPasswordDatabase _accounts;
    private readonly PasswordHasher _hasher;
    private readonly ILogger _logger;
    private readonly VerifiedLogins _verified;

    /// <summary>Composes it.</summary>
    public Authenticator(DirectorOptions options, RedisPasswordDatabase accounts, PasswordHasher hasher, ILogger<Authenticator> logger)
        : this(options, accounts, hasher, logger, TimeProvider.System)
    {
    }

    /// <summary>As above, with a clock for the age of remembered logins.</summary>
    public Authenticator(DirectorOptions options, RedisPasswordDatabase accounts, PasswordHasher hasher, ILogger<Authenticator> logger, TimeProvider clock)
    {
        (_options, _accounts, _hasher, _logger) = (options, accounts, hasher, logger);
        _verified = new VerifiedLogins(clock, options.AssignmentCacheAge);
    }

    /// <summary>Checks the password.</summary>
    /// <param name="name">As the client sent it, UTF-8.</param>
    /// <param name="password">As the client sent it, UTF-8; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait for a free hashing thread, and for Redis.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<AuthenticationResult> AuthenticateAsync(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        // A name outside the alphabet never reaches Redis, but costs a hash like any other (limits P18, P19).
        if (!TryRead(name.Span, out var user)) return await RefuseAsync(AuthenticationOutcome.NoSuchUser, default, password, cancellationToken);

        var reply = await _accounts.FindAsync(user, cancellationToken);
        if (!reply.Succeeded)
            return new AuthenticationResult(_verified.WasConfirmed(user, password.Span) ? AuthenticationOutcome.Success : AuthenticationOutcome.TemporaryFailure, user);
        if (reply.Value is not { } account)
        {
            _verified.Forget(user);
            return await RefuseAsync(AuthenticationOutcome.NoSuchUser, user, password, cancellationToken);
        }
        if (account.IsDisabled) _verified.Forget(user);
        else if (_verified.IsFresh(user, account, password.Span))
        {
            _verified.Confirmed(user);
            return new AuthenticationResult(AuthenticationOutcome.Success, user);
        }
        return await VerifyAsync(user, account, password, cancellationToken);
    }

    private async Task<AuthenticationResult> VerifyAsync(UserName user, Account account, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        _verified.ForgetOutdated(user, account);
        var hash = PasswordHash.TryParse(account.Password);
        if (hash is null) Log.BrokenHash(_logger, user);
        var isRight = await _hasher.VerifyAsync(hash, password, cancellationToken);
        if (isRight is null) return Busy(user);
        if (hash is null) return new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, user);
        if (!isRight.Value) return new AuthenticationResult(AuthenticationOutcome.WrongPassword, user);
        if (account.IsDisabled) return new AuthenticationResult(AuthenticationOutcome.Disabled, user);
        _verified.Verified(user, account, password.Span);
        return new AuthenticationResult(AuthenticationOutcome.Success, user);
    }

    private async Task<AuthenticationResult> RefuseAsync(AuthenticationOutcome outcome, UserName user, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) =>
        await _hasher.VerifyAsync(null, password, cancellationToken) is null ? Busy(user) : new AuthenticationResult(outcome, user);

    private AuthenticationResult Busy(UserName user)
    {
        Log.TooManyWaiting(_logger);
        return new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, user);
    }

    private bool TryRead(ReadOnlySpan<byte> name, out UserName user)
    {
        user = default;
        if (name.Length > UserName.MaxLength || !Ascii.IsValid(name)) return false;
        Span<char> text = stackalloc char[name.Length];
        Encoding.ASCII.GetChars(name, text);
        return UserName.TryCreate(text, _options.DefaultDomain, out user);
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Error, "The password of {User} in Redis is not an Argon2id hash within bounds")]
        public static partial void BrokenHash(ILogger logger, UserName user);

        [LoggerMessage(3102, LogLevel.Warning, "Too many logins are waiting for a password check")]
        public static partial void TooManyWaiting(ILogger logger);
    }
}

/// <summary>The outcome of an authentication.</summary>
/// <param name="Outcome">What happened.</param>
/// <param name="User">The canonical name; <c>default</c> when what was sent is none.</param>
internal readonly record struct AuthenticationResult(AuthenticationOutcome Outcome, UserName User);

/// <summary>Every way an authentication can end. A client cannot tell the refusals apart; logs and metrics can.</summary>
internal enum AuthenticationOutcome
{
    /// <summary>The password is right.</summary>
    Success,
    /// <summary>The name is not in any database, or outside the alphabet.</summary>
    NoSuchUser,
    /// <summary>The password is wrong.</summary>
    WrongPassword,
    /// <summary>The account is switched off.</summary>
    Disabled,
    /// <summary>The database did not answer: <c>NO [UNAVAILABLE]</c>.</summary>
    TemporaryFailure,
}
