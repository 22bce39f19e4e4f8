using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Storage.Sessions;

/// <summary>Checks what a director logs in with: SASL PLAIN (RFC 4616) with the node's master credentials as the authentication identity and
/// the user as the authorization identity.</summary>
internal static class MasterLogin
{
    /// <param name="response">The response as it came, in base64; it is wiped.</param>
    /// <param name="options">Whose master credentials.</param>
    /// <returns>The user; <c>null</c> when this is no director, or no user's canonical name (limits D2).</returns>
    public static UserName? FindUser(Span<byte> response, StorageNodeOptions options)
    {
        try
        {
            if (!SaslCredentials.TryDecode(response, out var message)) return null;
            if (!SaslCredentials.TrySplitPlain(message, out var identity, out var director, out var password)) return null;
            // Both comparisons are always made, so that the time does not say which one failed.
            var isDirector = AreEqual(director, options.MasterUser) & AreEqual(password, options.MasterPassword ?? "");
            if (!isDirector || options.MasterPassword is null) return null;
            var name = Encoding.ASCII.GetString(identity);
            return UserName.TryCreate(name, defaultDomain: null, out var user) && user.Value == name ? user : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(response);
        }
    }

    private static bool AreEqual(ReadOnlySpan<byte> given, string expected)
    {
        // Digests are of one length, so that not even the length of the secret shows (limits P23).
        Span<byte> left = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> right = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(given, left);
        SHA256.HashData(Encoding.UTF8.GetBytes(expected), right);
        return CryptographicOperations.FixedTimeEquals(left, right);
    }
}
