using System.Security.Cryptography;
using System.Text;

namespace ImapDirector.Director.Authentication;

/// <summary>The password itself; read only where the settings allow it.</summary>
internal sealed record PlainPassword(string Password) : PasswordHash
{
    /// <inheritdoc />
    public override PasswordScheme Scheme => PasswordScheme.Plain;

    /// <inheritdoc />
    public override bool IsCheap => true;

    /// <inheritdoc />
    public override ValueTask<bool> MatchesAsync(byte[] password) =>
        // Digests, so that the time does not tell the length either.
        ValueTask.FromResult(CryptographicOperations.FixedTimeEquals(SHA256.HashData(password), SHA256.HashData(Encoding.UTF8.GetBytes(Password))));
}
