using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ImapDirector.Director.Authentication;

/// <summary>PBKDF2: Dovecot's <c>$1$salt$rounds$hex</c> with SHA-1, and passlib's <c>$pbkdf2-sha256$rounds$salt$hash</c> (and SHA-512).</summary>
internal sealed record Pbkdf2Hash : PasswordHash
{
    // About half a second.
    private const int MaxRounds = 2_000_000;
    private const int MaxBytes = 64;

    private readonly HashAlgorithmName _algorithm;
    private readonly int _rounds;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private Pbkdf2Hash(HashAlgorithmName algorithm, int rounds, byte[] salt, byte[] hash) => (_algorithm, _rounds, _salt, _hash) = (algorithm, rounds, salt, hash);

    /// <inheritdoc />
    public override PasswordScheme Scheme => PasswordScheme.Pbkdf2;

    /// <inheritdoc cref="PasswordHash.TryParse" />
    public static Pbkdf2Hash? TryParse(string text) => text.Split('$') switch
    {
        ["", "1", var salt, var rounds, var hash] when salt.Length is > 0 and <= MaxBytes && salt.All(char.IsAscii) =>
            Create(HashAlgorithmName.SHA1, rounds, Encoding.ASCII.GetBytes(salt), FromHex(hash), SHA1.HashSizeInBytes),
        ["", "pbkdf2-sha256", var rounds, var salt, var hash] => Create(HashAlgorithmName.SHA256, rounds, FromBase64(salt), FromBase64(hash), SHA256.HashSizeInBytes),
        ["", "pbkdf2-sha512", var rounds, var salt, var hash] => Create(HashAlgorithmName.SHA512, rounds, FromBase64(salt), FromBase64(hash), SHA512.HashSizeInBytes),
        _ => null,
    };

    /// <summary>Hashes with a new salt, as OWASP recommends for SHA-256.</summary>
    public static string Make(byte[] password)
    {
        const int rounds = 600_000;
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, rounds, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        return string.Create(CultureInfo.InvariantCulture, $"$pbkdf2-sha256${rounds}${ToBase64(salt)}${ToBase64(hash)}");
    }

    /// <inheritdoc />
    public override ValueTask<bool> MatchesAsync(byte[] password) =>
        ValueTask.FromResult(CryptographicOperations.FixedTimeEquals(Rfc2898DeriveBytes.Pbkdf2(password, _salt, _rounds, _algorithm, _hash.Length), _hash));

    private static Pbkdf2Hash? Create(HashAlgorithmName algorithm, string rounds, byte[]? salt, byte[]? hash, int size) =>
        int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MaxRounds
        && salt is { Length: > 0 and <= MaxBytes } && hash?.Length == size
            ? new Pbkdf2Hash(algorithm, number, salt, hash)
            : null;

    private static byte[]? FromHex(string text) => text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;

    // passlib writes "." for "+" and no padding.
    private static byte[]? FromBase64(string text)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        return Convert.TryFromBase64String(text.Replace('.', '+').PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var length) ? bytes[..length].ToArray() : null;
    }

    private static string ToBase64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '.');
}
