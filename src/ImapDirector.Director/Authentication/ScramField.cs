using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Authentication;

/// <summary>What is kept for SCRAM beside a hash: the verifier, and of which stored password it was made. Where the password was changed by others since,
/// it does not count any more; one that names no password was put there by others and does.</summary>
internal static class ScramField
{
    private const int TagLetters = 16;

    /// <summary>Whether a verifier can be made of a password. SASLprep (RFC 4013), which SCRAM's clients do, changes nothing of printable ASCII; of anything else it might, and the proof of
    /// the right password would be wrong.</summary>
    public static bool CanBeMadeOf(ReadOnlySpan<byte> password) => !password.ContainsAnyExceptInRange((byte)' ', (byte)'~');

    /// <summary>Writes it.</summary>
    public static string Write(ScramVerifier verifier, string storedPassword) => $"{verifier.ToText()} {TagOf(storedPassword)}";

    /// <summary>Reads it; <c>null</c> when there is none, or none of this password.</summary>
    public static ScramVerifier? Read(string? field, string storedPassword) => field?.Split(' ') switch
    {
        [var verifier] => ScramVerifier.TryParse(verifier),
        [var verifier, var tag] when tag == TagOf(storedPassword) => ScramVerifier.TryParse(verifier),
        _ => null,
    };

    /// <summary>Whether <see cref="Write"/> wrote it.</summary>
    public static bool IsOurs(string field) => field.Contains(' ', StringComparison.Ordinal);

    private static string TagOf(string storedPassword) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(storedPassword)))[..TagLetters];
}
