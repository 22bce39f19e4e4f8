using System.Globalization;
using System.Security.Cryptography;

namespace ImapDirector.Protocol.Sasl;

/// <summary>The hash functions SCRAM is used with.</summary>
public enum ScramHashName
{
    /// <summary>SCRAM-SHA-256 (RFC 7677).</summary>
    Sha256,
    /// <summary>SCRAM-SHA-1 (RFC 5802).</summary>
    Sha1,
}

/// <summary>What a server keeps of a password for SCRAM (RFC 5802 section 3): enough to verify a client and to prove itself, not enough to log in elsewhere.</summary>
public sealed record ScramVerifier
{
    /// <summary>The most iterations that are read: whoever writes a verifier decides how long checking a password takes.</summary>
    public const int MaxIterations = 1_000_000;

    private const int MaxSalt = 64;

    /// <param name="hash">The hash function.</param>
    /// <param name="iterations">1 to <see cref="MaxIterations"/>.</param>
    /// <param name="salt">1 to 64 bytes.</param>
    /// <param name="storedKey">H(ClientKey), as long as the hash.</param>
    /// <param name="serverKey">As long as the hash.</param>
    public ScramVerifier(ScramHashName hash, int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) =>
        (Hash, Iterations, Salt, StoredKey, ServerKey) = (hash, iterations, salt, storedKey, serverKey);

    /// <summary>The hash function.</summary>
    public ScramHashName Hash { get; }

    /// <summary>How often a password is hashed.</summary>
    public int Iterations { get; }

    /// <summary>The salt.</summary>
    public byte[] Salt { get; }

    /// <summary>H(ClientKey).</summary>
    public byte[] StoredKey { get; }

    /// <summary>What the server's signature is made with.</summary>
    public byte[] ServerKey { get; }

    /// <summary>Makes one. Takes as long as the iterations do.</summary>
    /// <param name="hash">The hash function.</param>
    /// <param name="password">UTF-8, as SASLprep leaves it (RFC 4013).</param>
    /// <param name="salt">1 to 64 bytes.</param>
    /// <param name="iterations">1 to <see cref="MaxIterations"/>.</param>
    public static ScramVerifier Create(ScramHashName hash, ReadOnlySpan<byte> password, byte[] salt, int iterations)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, NameOf(hash), SizeOf(hash));
        var clientKey = Hmac(hash, salted, "Client Key"u8);
        var verifier = new ScramVerifier(hash, iterations, salt, Digest(hash, clientKey), Hmac(hash, salted, "Server Key"u8));
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(clientKey);
        return verifier;
    }

    /// <summary>Reads Dovecot's <c>{SCRAM-SHA-256}iterations,salt,stored,server</c>, or RFC 5803's <c>SCRAM-SHA-256$iterations:salt$stored:server</c>; Base64.</summary>
    /// <returns><c>null</c> when it is neither, or out of bounds.</returns>
    public static ScramVerifier? TryParse(string text)
    {
        var isDovecots = text.StartsWith('{');
        var end = text.IndexOf(isDovecots ? '}' : '$', StringComparison.Ordinal);
        if (end < 0) return null;
        ScramHashName? hash = text[(isDovecots ? 1 : 0)..end].ToUpperInvariant() switch
        {
            "SCRAM-SHA-256" => ScramHashName.Sha256,
            "SCRAM-SHA-1" => ScramHashName.Sha1,
            _ => null,
        };
        var parts = isDovecots ? text[(end + 1)..].Split(',') : text[(end + 1)..].Split(':', '$');
        if (hash is not { } name || parts.Length != 4
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > MaxIterations) return null;
        var (salt, stored, server) = (Read(parts[1]), Read(parts[2]), Read(parts[3]));
        return salt is { Length: > 0 } && stored?.Length == SizeOf(name) && server?.Length == SizeOf(name)
            ? new ScramVerifier(name, iterations, salt, stored, server)
            : null;
    }

    /// <summary>Dovecot's notation.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"{{{MechanismOf(Hash)}}}{Iterations},{Convert.ToBase64String(Salt)},{Convert.ToBase64String(StoredKey)},{Convert.ToBase64String(ServerKey)}");

    /// <summary>Whether it was made of this password; in constant time, after the iterations.</summary>
    public bool Matches(ReadOnlySpan<byte> password) => CryptographicOperations.FixedTimeEquals(Create(Hash, password, Salt, Iterations).StoredKey, StoredKey);

    /// <summary>Leaves the keys out.</summary>
    public override string ToString() => MechanismOf(Hash);

    /// <summary>The mechanism's name without channel binding.</summary>
    public static string MechanismOf(ScramHashName hash) => hash == ScramHashName.Sha256 ? "SCRAM-SHA-256" : "SCRAM-SHA-1";

    /// <summary>The length of a hash, in bytes.</summary>
    public static int SizeOf(ScramHashName hash) => hash == ScramHashName.Sha256 ? SHA256.HashSizeInBytes : SHA1.HashSizeInBytes;

    // SCRAM-SHA-1 is offered only where it was asked for; what it takes from SHA-1 is not what SHA-1 has lost.
#pragma warning disable CA5350
    internal static byte[] Hmac(ScramHashName hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) =>
        hash == ScramHashName.Sha256 ? HMACSHA256.HashData(key, data) : HMACSHA1.HashData(key, data);

    internal static byte[] Digest(ScramHashName hash, ReadOnlySpan<byte> data) => hash == ScramHashName.Sha256 ? SHA256.HashData(data) : SHA1.HashData(data);
#pragma warning restore CA5350

    private static HashAlgorithmName NameOf(ScramHashName hash) => hash == ScramHashName.Sha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1;

    private static byte[]? Read(string base64)
    {
        Span<byte> bytes = stackalloc byte[MaxSalt];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length].ToArray() : null;
    }
}
