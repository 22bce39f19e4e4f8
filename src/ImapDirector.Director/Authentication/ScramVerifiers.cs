using System.Net;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Authentication;

/// <summary>What SCRAM needs of a user. Of one that does not exist, or has nothing of the kind, it makes something that looks the same at every director and
/// every time, and that nobody has the password of (RFC 5802 section 9 and limits P18).</summary>
internal sealed class ScramVerifiers(DirectorOptions options, DatabaseChain chain, PasswordHasher hasher, ClusterSecret secret)
{
    private const int SaltBytes = 16;

    /// <summary>Finds it.</summary>
    /// <param name="name">As the client sent it.</param>
    /// <param name="hash">The mechanism's hash function.</param>
    /// <param name="client">Where the client is.</param>
    /// <param name="rank">Before whom a verifier is made, where only the password is stored.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<ScramCandidate> FindAsync(ReadOnlyMemory<byte> name, ScramHashName hash, IPAddress client, HashRank rank, CancellationToken cancellationToken)
    {
        var isName = LoginName.TryRead(name.Span, options.DefaultDomain, out var user);
        return await MakeAsync(isName ? Encoding.ASCII.GetBytes(user.Value) : name, user, hash,
            async stop => isName ? (await chain.FindAsync(user, client, stop)).Answer : DatabaseAnswer.NoSuchUser, rank, cancellationToken);
    }

    /// <summary>Makes it of what a database answers.</summary>
    /// <param name="seed">What the salt is made of where there is none.</param>
    /// <param name="user">The canonical name.</param>
    /// <param name="hash">The mechanism's hash function.</param>
    /// <param name="ask">Asks the database.</param>
    /// <param name="rank">Before whom a verifier is made, where only the password is stored.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<ScramCandidate> MakeAsync(ReadOnlyMemory<byte> seed, UserName user, ScramHashName hash, Func<CancellationToken, Task<DatabaseAnswer>> ask, HashRank rank, CancellationToken cancellationToken)
    {
        // The key is asked for first: whether it is there may not depend on the name.
        if (await secret.KeyForAsync($"scram {hash}", cancellationToken) is not { } key) return new ScramCandidate(AuthenticationOutcome.TemporaryFailure, user, Nobodys(hash, [], seed.Span));
        var nobodys = Nobodys(hash, key, seed.Span);
        var answer = await ask(cancellationToken);
        var (verifier, isBusy) = await OfAsync(answer.Account, hash, nobodys.Salt, rank, cancellationToken);
        if (isBusy) return new ScramCandidate(AuthenticationOutcome.TemporaryFailure, user, nobodys);
        if (answer.Account is not { } account)
        {
            var outcome = answer.Kind switch
            {
                DatabaseAnswerKind.NoSuchUser => AuthenticationOutcome.NoSuchUser,
                DatabaseAnswerKind.Failure => AuthenticationOutcome.TemporaryFailure,
                // Where the password never is, there is nothing to prove it with.
                _ => AuthenticationOutcome.WrongPassword,
            };
            return new ScramCandidate(outcome, user, nobodys);
        }
        if (verifier is null) return new ScramCandidate(AuthenticationOutcome.WrongPassword, user, nobodys);
        return new ScramCandidate(account.IsDisabled ? AuthenticationOutcome.Disabled : AuthenticationOutcome.Success, user, verifier);
    }

    private async Task<(ScramVerifier? Verifier, bool IsBusy)> OfAsync(Account? account, ScramHashName hash, byte[] salt, HashRank rank, CancellationToken cancellationToken)
    {
        var stored = account is null ? null : PasswordHash.TryParse(account.Password, options.Authentication.AllowPlainHashes);
        if (options.Authentication.AllowPlainHashes)
        {
            // Whoever has no plain password costs what one costs.
            var plain = stored as PlainPassword;
            var made = await hasher.TakeTurnAsync(Encoding.UTF8.GetBytes(plain?.Password ?? ""), rank, copy => Task.FromResult(ScramVerifier.Create(hash, copy, salt, options.Authentication.ScramIterations)), cancellationToken);
            if (made is null || plain is not null) return (made, made is null);
        }
        if (account is null) return default;
        if (stored is ScramHash scram && scram.Verifier.Hash == hash) return (scram.Verifier, false);
        return (ScramField.Read(hash == ScramHashName.Sha256 ? account.ScramSha256 : account.ScramSha1, account.Password) is { } beside && beside.Hash == hash ? beside : null, false);
    }

    private ScramVerifier Nobodys(ScramHashName hash, byte[] key, ReadOnlySpan<byte> name) => new(hash, options.Authentication.ScramIterations,
        HMACSHA256.HashData(key, name)[..SaltBytes], RandomNumberGenerator.GetBytes(ScramVerifier.SizeOf(hash)), RandomNumberGenerator.GetBytes(ScramVerifier.SizeOf(hash)));
}

/// <summary>Whom a SCRAM exchange is about.</summary>
/// <param name="Outcome">How it ends when the client proves that it has the password.</param>
/// <param name="User">The canonical name, where there is one.</param>
/// <param name="Verifier">What the proof is checked with.</param>
internal sealed record ScramCandidate(AuthenticationOutcome Outcome, UserName User, ScramVerifier Verifier)
{
    /// <summary>How it ends.</summary>
    public AuthenticationResult ResultOf(ScramOutcome outcome) => new(outcome switch
    {
        _ when Outcome == AuthenticationOutcome.TemporaryFailure => Outcome,
        ScramOutcome.Verified => Outcome,
        ScramOutcome.OtherChannel => AuthenticationOutcome.OtherChannel,
        ScramOutcome.Malformed => AuthenticationOutcome.Unfinished,
        // A name that does not exist has no right proof.
        _ => Outcome is AuthenticationOutcome.NoSuchUser or AuthenticationOutcome.NoSuchMaster ? Outcome : AuthenticationOutcome.WrongPassword,
    }, User);
}
