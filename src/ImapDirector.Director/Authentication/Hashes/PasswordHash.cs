namespace ImapDirector.Director.Authentication;

/// <summary>A stored password. Reading one never orders work without bounds: whoever can write to a password database must not be able to make us spend
/// gigabytes or minutes on a login.</summary>
internal abstract record PasswordHash
{
    private const int MaxLength = 1024;

    /// <summary>What made it.</summary>
    public abstract PasswordScheme Scheme { get; }

    /// <summary>Whether comparing costs next to nothing, so that it can be told by the time from a name that does not exist.</summary>
    public virtual bool IsCheap => false;

    /// <summary>Compares in constant time. Runs on the caller's thread for as long as the scheme takes.</summary>
    /// <param name="password">UTF-8, not empty; the caller zeroes it.</param>
    public abstract ValueTask<bool> MatchesAsync(byte[] password);

    /// <summary>Whether it is to be replaced by one made as <paramref name="cost"/> says.</summary>
    public virtual bool IsWeakerThan(HashCost cost) => true;

    /// <summary>Leaves everything but the scheme out.</summary>
    public sealed override string ToString() => Scheme.ToString();

    /// <summary>Reads Dovecot's notation, <c>{SCHEME}…</c> with <c>.b64</c> or <c>.hex</c> behind the scheme, and crypt(3)'s, <c>$id$…</c>.</summary>
    /// <param name="text">As a database has it.</param>
    /// <param name="allowPlain">Whether <c>{PLAIN}</c> is one.</param>
    /// <returns><c>null</c> when it is none that we know, or out of bounds.</returns>
    public static PasswordHash? TryParse(string text, bool allowPlain = false)
    {
        if (text.Length is 0 or > MaxLength) return null;
        if (text[0] == '$') return ParseCrypt(text);
        var end = text.IndexOf('}', StringComparison.Ordinal);
        if (text[0] != '{' || end < 0) return null;
        var name = text[1..end].ToUpperInvariant();
        var value = text[(end + 1)..];
        return name switch
        {
            "ARGON2ID" or "ARGON2" => Argon2idHash.TryParse(value),
            "BLF-CRYPT" or "BCRYPT" => BcryptHash.TryParse(value),
            "SHA512-CRYPT" => ShaCryptHash.TryParse(value) is { Scheme: PasswordScheme.Sha512Crypt } hash ? hash : null,
            "SHA256-CRYPT" => ShaCryptHash.TryParse(value) is { Scheme: PasswordScheme.Sha256Crypt } hash ? hash : null,
            "CRYPT" => ParseCrypt(value),
            "PBKDF2" => Pbkdf2Hash.TryParse(value),
            "SCRAM-SHA-256" or "SCRAM-SHA-1" => ScramHash.TryParse(text),
            "PLAIN" => allowPlain && value.Length > 0 ? new PlainPassword(value) : null,
            _ => SaltedDigestHash.TryParse(name, value),
        };
    }

    private static PasswordHash? ParseCrypt(string text) => text.Split('$', 3) is ["", var id, _]
        ? id switch
        {
            "argon2id" => Argon2idHash.TryParse(text),
            "2a" or "2b" or "2y" => BcryptHash.TryParse(text),
            "5" or "6" => ShaCryptHash.TryParse(text),
            "pbkdf2-sha256" or "pbkdf2-sha512" => Pbkdf2Hash.TryParse(text),
            _ => null,
        }
        : null;
}

/// <summary>The ways a password may be stored.</summary>
public enum PasswordScheme
{
    /// <summary>Argon2id (RFC 9106), what new passwords are hashed with.</summary>
    Argon2id,
    /// <summary>bcrypt.</summary>
    Bcrypt,
    /// <summary>crypt(3) with SHA-512.</summary>
    Sha512Crypt,
    /// <summary>crypt(3) with SHA-256.</summary>
    Sha256Crypt,
    /// <summary>PBKDF2 (RFC 8018).</summary>
    Pbkdf2,
    /// <summary>The verifier of SCRAM-SHA-256 (RFC 7677).</summary>
    ScramSha256,
    /// <summary>The verifier of SCRAM-SHA-1 (RFC 5802).</summary>
    ScramSha1,
    /// <summary>A salted digest: cheap to guess at.</summary>
    SaltedDigest,
    /// <summary>The password itself.</summary>
    Plain,
}

/// <summary>What a new Argon2id hash costs.</summary>
/// <param name="MemoryKiB">8 per lane to 262,144.</param>
/// <param name="Iterations">1 to 16.</param>
/// <param name="Lanes">1 to 16.</param>
internal sealed record HashCost(int MemoryKiB, int Iterations, int Lanes)
{
    /// <summary>19 MiB and two passes, as OWASP recommends.</summary>
    public static readonly HashCost Default = new(19_456, 2, 1);

    /// <summary>Memory times passes, which is what the time follows.</summary>
    public long Work => (long)MemoryKiB * Iterations;
}
