using System.Security.Cryptography;

namespace ImapDirector.Director.Authentication;

/// <summary>One round of SHA-1, SHA-256 or SHA-512 over password and salt, as LDAP directories keep it: <c>{SSHA}</c>, <c>{SSHA256}</c>, <c>{SSHA512}</c>.
/// It is read so that its users can log in, and be given something better.</summary>
internal sealed record SaltedDigestHash : PasswordHash
{
    private const int MaxSalt = 64;

    private readonly Func<byte[], byte[]> _digestOf;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private SaltedDigestHash(Func<byte[], byte[]> digestOf, byte[] salt, byte[] hash) => (_digestOf, _salt, _hash) = (digestOf, salt, hash);

    /// <inheritdoc />
    public override PasswordScheme Scheme => PasswordScheme.SaltedDigest;

    /// <inheritdoc />
    public override bool IsCheap => true;

    /// <summary>Reads one.</summary>
    /// <param name="name">What stands between the braces, in upper case.</param>
    /// <param name="value">What stands behind them.</param>
    public static SaltedDigestHash? TryParse(string name, string value)
    {
        var (scheme, encoding) = name.Split('.') switch
        {
            [var bare] => (bare, "B64"),
            [var bare, var suffix] => (bare, suffix),
            _ => ("", ""),
        };
        return scheme switch
        {
            // What is in people's directories is not ours to choose.
#pragma warning disable CA5350
            "SSHA" => Create(SHA1.HashData, SHA1.HashSizeInBytes, encoding, value),
#pragma warning restore CA5350
            "SSHA256" => Create(SHA256.HashData, SHA256.HashSizeInBytes, encoding, value),
            "SSHA512" => Create(SHA512.HashData, SHA512.HashSizeInBytes, encoding, value),
            _ => null,
        };
    }

    /// <inheritdoc />
    public override ValueTask<bool> MatchesAsync(byte[] password)
    {
        var input = new byte[password.Length + _salt.Length];
        password.CopyTo(input, 0);
        _salt.CopyTo(input, password.Length);
        var digest = _digestOf(input);
        CryptographicOperations.ZeroMemory(input);
        return ValueTask.FromResult(CryptographicOperations.FixedTimeEquals(digest, _hash));
    }

    private static SaltedDigestHash? Create(Func<byte[], byte[]> digestOf, int size, string encoding, string value)
    {
        Span<byte> bytes = stackalloc byte[SHA512.HashSizeInBytes + MaxSalt];
        var isRead = encoding switch
        {
            "B64" => Convert.TryFromBase64String(value, bytes, out var decoded) && Cut(ref bytes, decoded),
            "HEX" => Convert.FromHexString(value, bytes, out _, out var decoded) == System.Buffers.OperationStatus.Done && Cut(ref bytes, decoded),
            _ => false,
        };
        // Without a salt it would be the same for everybody who has this password.
        return isRead && bytes.Length > size && bytes.Length - size <= MaxSalt
            ? new SaltedDigestHash(digestOf, bytes[size..].ToArray(), bytes[..size].ToArray())
            : null;
    }

    private static bool Cut(ref Span<byte> bytes, int length)
    {
        bytes = bytes[..length];
        return true;
    }
}
