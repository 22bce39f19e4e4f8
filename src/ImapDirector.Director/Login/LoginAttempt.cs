using System.Security.Cryptography;

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

    /// <inheritdoc />
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(User);
        CryptographicOperations.ZeroMemory(Password);
    }

    /// <summary>Leaves the name and the password out.</summary>
    public override string ToString() => $"{nameof(LoginAttempt)} {{ {nameof(Mechanism)} = {Mechanism} }}";
}
