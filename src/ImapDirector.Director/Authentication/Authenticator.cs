using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>Checks a name and a password. An unknown user costs the same time as a wrong password; hashing runs on a bounded number of threads.</summary>
internal sealed class Authenticator(DirectorOptions options, RedisPasswordDatabase accounts, PasswordHasher hasher, ILogger<Authenticator> logger)
{
    /// <summary>Checks the password.</summary>
    /// <param name="name">As the client sent it, UTF-8.</param>
    /// <param name="password">As the client sent it, UTF-8; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait for a free hashing thread, and for Redis.</param>
    public Task<AuthenticationResult> AuthenticateAsync(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>The outcome of an authentication.</summary>
/// <param name="Outcome">What happened.</param>
/// <param name="User">The canonical name, when <see cref="AuthenticationOutcome.Success"/>.</param>
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
