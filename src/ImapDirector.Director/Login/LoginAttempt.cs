using System.Security.Cryptography;
using ImapDirector.Director.Throttling;

namespace ImapDirector.Director.Login;

/// <summary>The name and the password a client sent, however it sent them. Disposing it wipes both.</summary>
/// <param name="Tag">The command's tag, for the answer.</param>
/// <param name="Mechanism">How it came, as metrics show it: <c>login</c>, <c>sasl_plain</c>, <c>sasl_login</c>, <c>sasl_scram_sha_256</c> and so on.</param>
/// <param name="User">The name, as sent.</param>
/// <param name="Password">The password, as sent; or what stands for it, or nothing.</param>
internal sealed record LoginAttempt(string Tag, string Mechanism, byte[] User, byte[] Password) : IDisposable
{
    /// <summary>What is to be checked where the client does not send the password; else <c>null</c>.</summary>
    public ILoginProof? Proof { get; init; }

    /// <summary>Whom the client wants to be, as sent, where <see cref="User"/> is to be a master; else <c>null</c>.</summary>
    public byte[]? ActsFor { get; init; }

    /// <summary>Whether it brings what the user logs in with everywhere.</summary>
    public bool HasUsersPassword => Proof is null && ActsFor is null;

    /// <summary>For whom its failure counts.</summary>
    public LoginClaim ClaimAs(string? defaultDomain) => ActsFor is null ? LoginClaim.OfUser(User, defaultDomain) : LoginClaim.OfMaster(User);

    /// <inheritdoc />
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(ActsFor);
        CryptographicOperations.ZeroMemory(User);
        CryptographicOperations.ZeroMemory(Password);
    }

    /// <summary>Leaves the name and the password out.</summary>
    public override string ToString() => $"{nameof(LoginAttempt)} {{ {nameof(Mechanism)} = {Mechanism} }}";
}
