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

    // Strangers can have it told as often as they like.
    private static readonly TimeSpan TellOfBrokenHashesEvery = TimeSpan.FromMinutes(1);

    private volatile DirectorOptions _options;
    private readonly DatabaseChain _chain;
    private readonly PasswordHasher _hasher;
    private readonly HashUpgrade _upgrade;
    private readonly ILogger _logger;
    private readonly VerifiedLogins _verified;
    private readonly TimeProvider _clock;
    private long _toldOfBrokenHash = -1;

    /// <summary>Composes it.</summary>
    public Authenticator(DirectorOptions options, DatabaseChain chain, PasswordHasher hasher, ILoggerFactory loggers)
        : this(options, chain, hasher, loggers, TimeProvider.System)
    {
    }

    /// <summary>As above, with a clock for the age of remembered logins.</summary>
    public Authenticator(DirectorOptions options, DatabaseChain chain, PasswordHasher hasher, ILoggerFactory loggers, TimeProvider clock)
    {
        (_options, _chain, _hasher, _logger, _clock) = (options, chain, hasher, loggers.CreateLogger<Authenticator>(), clock);
        _upgrade = new HashUpgrade(options.Authentication, hasher, loggers.CreateLogger<HashUpgrade>());
        _verified = new VerifiedLogins(clock, () => _options.AssignmentCacheAge);
    }

    /// <summary>Another age of remembered logins from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Whether the password of a user was right a moment ago, so that no hash is made of it if nothing has changed.</summary>
    public bool HasJustVerified(UserName user, ReadOnlySpan<byte> password) => _verified.IsFresh(user, password);

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
        var (hasHashed, isAnyBusy, isAnyWrong) = (false, false, false);
        var question = new DatabaseQuestion(user, password, client) { HopsLeft = hopsLeft };
        List<IPasswordDatabase>? away = null;
        var asked = 0;
        foreach (var step in _chain.Steps)
        {
            asked++;
            var answer = await step.Database.AskAsync(question, cancellationToken);
            var (verdict, isBusy) = answer.Kind == DatabaseAnswerKind.Account
                ? await CompareAsync(step, user, answer.Account!, password, rank, cancellationToken)
                : (VerdictOf(answer.Kind), false);
            hasHashed |= answer.Kind == DatabaseAnswerKind.Account;
            isAnyBusy |= answer.IsBusy;
            if (isBusy) return new AuthenticationResult(isAnyWrong ? AuthenticationOutcome.LikelyWrong : verdict, user);
            if (verdict == AuthenticationOutcome.Success)
            {
                if (answer.Kind == DatabaseAnswerKind.RightPassword) _verified.Verified(user, step.Database, answer.Account, password.Span);
                return new AuthenticationResult(verdict, user, answer.Node);
            }
            if (verdict == AuthenticationOutcome.TemporaryFailure) (away ??= []).Add(step.Database);
            else Heed(verdict, question, step.Database);
            isAnyWrong |= verdict == AuthenticationOutcome.WrongPassword;
            outcome = Weightier(outcome, verdict);
            if (StopsAfter(verdict, step.Rules)) break;
        }
        if (outcome == AuthenticationOutcome.TemporaryFailure && !isAnyBusy) outcome = await RecallAsync(question, away!, asked, cancellationToken);
        // Whoever has guessed wrong at one while another is away has guessed.
        if (outcome == AuthenticationOutcome.TemporaryFailure && isAnyWrong) outcome = AuthenticationOutcome.LikelyWrong;
        if (outcome is AuthenticationOutcome.Success or AuthenticationOutcome.TemporaryFailure or AuthenticationOutcome.LikelyWrong) return new AuthenticationResult(outcome, user);
        // As a whole it is the chain's answer, whichever of them has found the password right.
        if (outcome == AuthenticationOutcome.NoSuchUser || _verified.Recall(user, password.Span) is { Password: Recollection.Same }) _verified.Forget(user);
        return hasHashed ? new AuthenticationResult(outcome, user) : await RefuseAsync(outcome, user, password, rank, cancellationToken);
    }

    /// <summary>While a database is away, the password that it has last found right is the user's. Where another one's absence has kept it from being asked, it is asked
    /// after all: what it says now counts, not what it has said.</summary>
    /// <returns>Success; LikelyWrong, for another password than that; or TemporaryFailure where nothing is remembered, or no longer.</returns>
    private async Task<AuthenticationOutcome> RecallAsync(DatabaseQuestion question, List<IPasswordDatabase> away, int asked, CancellationToken cancellationToken)
    {
        var (user, password) = (question.User, question.Password!.Value);
        if (_verified.Recall(user, password.Span) is not { } known) return AuthenticationOutcome.TemporaryFailure;
        var isAway = away.Contains(known.Database);
        if (!isAway && _chain.Steps.Skip(asked).All(step => step.Database != known.Database)) return AuthenticationOutcome.TemporaryFailure;
        if (known.Password == Recollection.Other) return AuthenticationOutcome.LikelyWrong;
        if (isAway) return AuthenticationOutcome.Success;
        var answer = await known.Database.AskAsync(question, cancellationToken);
        if (answer.IsBusy) return AuthenticationOutcome.TemporaryFailure;
        if (answer.Account is not { } account) Heed(VerdictOf(answer.Kind), question, known.Database);
        else if (account.IsDisabled) _verified.Forget(user);
        else _verified.ForgetOutdated(user, known.Database, account);
        return _verified.Recall(user, password.Span) is { Password: Recollection.Same } ? AuthenticationOutcome.Success : AuthenticationOutcome.TemporaryFailure;
    }

    private void Heed(AuthenticationOutcome verdict, DatabaseQuestion question, IPasswordDatabase database)
    {
        if (verdict == AuthenticationOutcome.Disabled) _verified.Forget(question.User);
        if (verdict == AuthenticationOutcome.NoSuchUser) _verified.Refused(question.User, database, null);
        if (verdict == AuthenticationOutcome.WrongPassword) _verified.Refused(question.User, database, question.Password);
    }

    private async Task<(AuthenticationOutcome Outcome, bool IsBusy)> CompareAsync(ChainStep step, UserName user, Account account, ReadOnlyMemory<byte> password, HashRank rank, CancellationToken cancellationToken)
    {
        var recollection = account.IsDisabled ? Recollection.None : _verified.Recall(user, step.Database, account, password.Span);
        if (account.IsDisabled) _verified.Forget(user);
        else if (recollection == Recollection.Same)
        {
            _verified.Confirmed(user);
            return (AuthenticationOutcome.Success, false);
        }
        _verified.ForgetOutdated(user, step.Database, account);
        var hash = PasswordHash.TryParse(account.Password, _options.Authentication.AllowPlainHashes);
        if (hash is null && !account.IsDisabled) TellOfBrokenHash(step.Database, user);
        var isRight = await _hasher.VerifyAsync(hash, password, rank, cancellationToken);
        if (isRight is null)
        {
            Log.TooManyWaiting(_logger);
            // The right one would have been let in without hashing.
            return (recollection == Recollection.Other ? AuthenticationOutcome.LikelyWrong : AuthenticationOutcome.TemporaryFailure, true);
        }
        // What is stored and is no hash has no right password; that there is such a user is nobody's business.
        if (hash is null || !isRight.Value) return (hash is null && account.IsDisabled ? AuthenticationOutcome.Disabled : AuthenticationOutcome.WrongPassword, false);
        if (account.IsDisabled) return (AuthenticationOutcome.Disabled, false);
        _verified.Verified(user, step.Database, await _upgrade.ApplyAsync(step.Database, user, account, hash, password, cancellationToken), password.Span);
        return (AuthenticationOutcome.Success, false);
    }

    private async Task<AuthenticationResult> RefuseAsync(AuthenticationOutcome outcome, UserName user, ReadOnlyMemory<byte> password, HashRank rank, CancellationToken cancellationToken)
    {
        if (await _hasher.VerifyAsync(null, password, rank, cancellationToken) is not null) return new AuthenticationResult(outcome, user);
        Log.TooManyWaiting(_logger);
        // The right one would have needed no hash.
        return new AuthenticationResult(AuthenticationOutcome.LikelyWrong, user);
    }

    private void TellOfBrokenHash(IPasswordDatabase database, UserName user)
    {
        var (now, last) = (_clock.GetTimestamp(), Volatile.Read(ref _toldOfBrokenHash));
        if (last >= 0 && _clock.GetElapsedTime(last, now) < TellOfBrokenHashesEvery) return;
        if (Interlocked.CompareExchange(ref _toldOfBrokenHash, now, last) == last) Log.BrokenHash(_logger, database.Name, user);
    }

    private static AuthenticationOutcome VerdictOf(DatabaseAnswerKind kind) => kind switch
    {
        DatabaseAnswerKind.RightPassword => AuthenticationOutcome.Success,
        DatabaseAnswerKind.WrongPassword => AuthenticationOutcome.WrongPassword,
        DatabaseAnswerKind.Disabled => AuthenticationOutcome.Disabled,
        DatabaseAnswerKind.NoSuchUser => AuthenticationOutcome.NoSuchUser,
        _ => AuthenticationOutcome.TemporaryFailure,
    };

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
        [LoggerMessage(3101, LogLevel.Error, "What {Database} has stored of the password of {User} is none of the known hashes, or out of bounds. This is told once a minute, whoever else has none")]
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
    /// <summary>As <see cref="TemporaryFailure"/> to the client; but the right password would have let it in, so that it has guessed, and this counts.</summary>
    LikelyWrong,
}
