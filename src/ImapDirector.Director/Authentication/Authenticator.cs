using System.Net;
using ImapDirector.Director.Backends;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>Checks a name and a password against the databases in their order. An unknown user costs the same time as a wrong password; hashing runs on a
/// bounded number of threads.</summary>
internal sealed partial class Authenticator
{
    /// <summary>The longest password, in bytes of UTF-8: some schemes take time for every byte.</summary>
    public const int MaxPasswordBytes = 1024;

    private volatile DirectorOptions _options;
    private readonly DatabaseChain _chain;
    private readonly PasswordHasher _hasher;
    private readonly HashUpgrade _upgrade;
    private readonly ILogger _logger;
    private readonly VerifiedLogins _verified;

    /// <summary>Composes it.</summary>
    public Authenticator(DirectorOptions options, DatabaseChain chain, PasswordHasher hasher, ILoggerFactory loggers)
        : this(options, chain, hasher, loggers, TimeProvider.System)
    {
    }

    /// <summary>As above, with a clock for the age of remembered logins.</summary>
    public Authenticator(DirectorOptions options, DatabaseChain chain, PasswordHasher hasher, ILoggerFactory loggers, TimeProvider clock)
    {
        (_options, _chain, _hasher, _logger) = (options, chain, hasher, loggers.CreateLogger<Authenticator>());
        _upgrade = new HashUpgrade(options.Authentication, hasher, loggers.CreateLogger<HashUpgrade>());
        _verified = new VerifiedLogins(clock, () => _options.AssignmentCacheAge);
    }

    /// <summary>Another age of remembered logins from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Checks the password.</summary>
    /// <param name="name">As the client sent it, UTF-8.</param>
    /// <param name="password">As the client sent it, UTF-8; the caller zeroes it afterwards.</param>
    /// <param name="client">Where the client is.</param>
    /// <param name="rank">Before whom it is hashed.</param>
    /// <param name="cancellationToken">Ends the wait for a free hashing thread, and for the databases.</param>
    /// <param name="hopsLeft">How many directors may still come, as <see cref="ForwardedClient"/> has it.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<AuthenticationResult> AuthenticateAsync(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> password, IPAddress client, HashRank rank, CancellationToken cancellationToken,
        int hopsLeft = ForwardedClient.MostHops)
    {
        // A name outside the alphabet never reaches a database, but costs a hash like any other (limits P18, P19). So does a password that is none.
        if (!LoginName.TryRead(name.Span, _options.DefaultDomain, out var user)) return await RefuseAsync(AuthenticationOutcome.NoSuchUser, default, password, rank, cancellationToken);
        if (password.Length is 0 or > MaxPasswordBytes) return await RefuseAsync(AuthenticationOutcome.WrongPassword, user, default, rank, cancellationToken);

        var outcome = AuthenticationOutcome.NoSuchUser;
        var (hasHashed, isAnyBusy) = (false, false);
        foreach (var step in _chain.Steps)
        {
            var answer = await step.Database.AskAsync(new DatabaseQuestion(user, password, client) { HopsLeft = hopsLeft }, cancellationToken);
            var (verdict, isBusy) = answer.Kind switch
            {
                DatabaseAnswerKind.Account => await CompareAsync(step, user, answer.Account!, password, rank, cancellationToken),
                DatabaseAnswerKind.RightPassword => (AuthenticationOutcome.Success, false),
                DatabaseAnswerKind.WrongPassword => (AuthenticationOutcome.WrongPassword, false),
                DatabaseAnswerKind.Disabled => (AuthenticationOutcome.Disabled, false),
                DatabaseAnswerKind.NoSuchUser => (AuthenticationOutcome.NoSuchUser, false),
                _ => (AuthenticationOutcome.TemporaryFailure, false),
            };
            hasHashed |= answer.Kind == DatabaseAnswerKind.Account;
            isAnyBusy |= answer.IsBusy;
            if (isBusy) return new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, user);
            if (verdict == AuthenticationOutcome.Success)
            {
                if (answer.Kind == DatabaseAnswerKind.RightPassword) _verified.Verified(user, answer.Account, password.Span);
                return new AuthenticationResult(verdict, user, answer.Node);
            }
            outcome = Weightier(outcome, verdict);
            if (StopsAfter(verdict, step.Rules)) break;
        }
        if (outcome == AuthenticationOutcome.TemporaryFailure && !isAnyBusy && _verified.WasConfirmed(user, password.Span)) return new AuthenticationResult(AuthenticationOutcome.Success, user);
        if (outcome is AuthenticationOutcome.NoSuchUser or AuthenticationOutcome.Disabled) _verified.Forget(user);
        if (outcome == AuthenticationOutcome.WrongPassword) _verified.Forget(user, password.Span);
        return hasHashed || outcome == AuthenticationOutcome.TemporaryFailure
            ? new AuthenticationResult(outcome, user)
            : await RefuseAsync(outcome, user, password, rank, cancellationToken);
    }

    private async Task<(AuthenticationOutcome Outcome, bool IsBusy)> CompareAsync(ChainStep step, UserName user, Account account, ReadOnlyMemory<byte> password, HashRank rank, CancellationToken cancellationToken)
    {
        if (account.IsDisabled) _verified.Forget(user);
        else if (_verified.IsFresh(user, account, password.Span))
        {
            _verified.Confirmed(user);
            return (AuthenticationOutcome.Success, false);
        }
        _verified.ForgetOutdated(user, account);
        var hash = PasswordHash.TryParse(account.Password, _options.Authentication.AllowPlainHashes);
        if (hash is null && !account.IsDisabled) Log.BrokenHash(_logger, step.Database.Name, user);
        var isRight = await _hasher.VerifyAsync(hash, password, rank, cancellationToken);
        if (isRight is null)
        {
            Log.TooManyWaiting(_logger);
            return (AuthenticationOutcome.TemporaryFailure, true);
        }
        if (hash is null) return (account.IsDisabled ? AuthenticationOutcome.Disabled : AuthenticationOutcome.TemporaryFailure, false);
        if (!isRight.Value) return (AuthenticationOutcome.WrongPassword, false);
        if (account.IsDisabled) return (AuthenticationOutcome.Disabled, false);
        _verified.Verified(user, await _upgrade.ApplyAsync(step.Database, user, account, hash, password, cancellationToken), password.Span);
        return (AuthenticationOutcome.Success, false);
    }

    private async Task<AuthenticationResult> RefuseAsync(AuthenticationOutcome outcome, UserName user, ReadOnlyMemory<byte> password, HashRank rank, CancellationToken cancellationToken)
    {
        if (await _hasher.VerifyAsync(null, password, rank, cancellationToken) is not null) return new AuthenticationResult(outcome, user);
        Log.TooManyWaiting(_logger);
        return new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, user);
    }

    // Of several answers: what is not known may be right, and who was not known to one may be to another.
    private static AuthenticationOutcome Weightier(AuthenticationOutcome one, AuthenticationOutcome other) =>
        one == AuthenticationOutcome.TemporaryFailure || other == AuthenticationOutcome.NoSuchUser ? one : other;

    private static bool StopsAfter(AuthenticationOutcome verdict, PasswordDatabaseOptions rules) => verdict switch
    {
        AuthenticationOutcome.NoSuchUser => rules.OnNoSuchUser == ChainRule.Stop,
        AuthenticationOutcome.WrongPassword => rules.OnWrongPassword == ChainRule.Stop,
        AuthenticationOutcome.TemporaryFailure => rules.OnFailure == ChainRule.Stop,
        _ => true,
    };

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Error, "What {Database} has stored of the password of {User} is none of the known hashes, or out of bounds")]
        public static partial void BrokenHash(ILogger logger, string database, UserName user);

        [LoggerMessage(3102, LogLevel.Warning, "Too many logins are waiting for a password check")]
        public static partial void TooManyWaiting(ILogger logger);
    }
}

/// <summary>The outcome of an authentication.</summary>
/// <param name="Outcome">What happened.</param>
/// <param name="User">The canonical name; <c>default</c> when what was sent is none.</param>
/// <param name="Node">The node that a database wants the user on when none is assigned yet, or <c>null</c>.</param>
internal readonly record struct AuthenticationResult(AuthenticationOutcome Outcome, UserName User, string? Node = null);

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
    /// <summary>Somebody asks to be somebody else, and is no master, or not from there.</summary>
    NoSuchMaster,
    /// <summary>SCRAM: the client is bound to another TLS channel than ours, so somebody is in between.</summary>
    OtherChannel,
    /// <summary>The token is none, is not for us, names somebody else, or its time is over.</summary>
    InvalidToken,
    /// <summary>The token is good for something else than mail.</summary>
    WrongScope,
    /// <summary>SCRAM: the client was told what its user has, and brought no proof.</summary>
    Unfinished,
    /// <summary>A database did not answer: <c>NO [UNAVAILABLE]</c>.</summary>
    TemporaryFailure,
}
