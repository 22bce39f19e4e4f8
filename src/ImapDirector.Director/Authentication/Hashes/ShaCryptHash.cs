using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ImapDirector.Director.Authentication;

/// <summary>crypt(3) with SHA-256 or SHA-512, as Ulrich Drepper specified it: <c>$6$rounds=5000$salt$hash</c>.</summary>
internal sealed record ShaCryptHash : PasswordHash
{
    private const int DefaultRounds = 5000;
    private const int MinRounds = 1000;
    // About half a second. The format would allow a thousand times as many.
    private const int MaxRounds = 1_000_000;
    // Each round takes the whole password in about twice: what strangers send may not make eight times of it.
    private const int MaxRoundsTimesBytes = 150_000_000;
    private const int MaxSalt = 16;
    private const int Sha256Letters = 43;
    private const int Sha512Letters = 86;
    private const string RoundsPrefix = "rounds=";

    private readonly bool _isSha512;
    private readonly int _rounds;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private ShaCryptHash(bool isSha512, int rounds, byte[] salt, byte[] hash) => (_isSha512, _rounds, _salt, _hash) = (isSha512, rounds, salt, hash);

    /// <inheritdoc />
    public override PasswordScheme Scheme => _isSha512 ? PasswordScheme.Sha512Crypt : PasswordScheme.Sha256Crypt;

    /// <inheritdoc cref="PasswordHash.TryParse" />
    public static ShaCryptHash? TryParse(string text)
    {
        var parts = text.Split('$');
        if (parts.Length is not (4 or 5) || parts[0].Length != 0 || parts[1] is not ("5" or "6")) return null;
        var rounds = DefaultRounds;
        if (parts.Length == 5 && (!parts[2].StartsWith(RoundsPrefix, StringComparison.Ordinal)
            || !int.TryParse(parts[2].AsSpan(RoundsPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out rounds)
            || rounds is < MinRounds or > MaxRounds)) return null;
        var (salt, hash, isSha512) = (parts[^2], parts[^1], parts[1] == "6");
        if (salt.Length > MaxSalt || salt.Any(static letter => letter is <= ' ' or > '~' or ':')) return null;
        if (hash.Length != (isSha512 ? Sha512Letters : Sha256Letters) || hash.AsSpan().IndexOfAnyExcept(CryptBase64.Alphabet) >= 0) return null;
        return new ShaCryptHash(isSha512, rounds, Encoding.ASCII.GetBytes(salt), Encoding.ASCII.GetBytes(hash));
    }

    /// <summary>Hashes with a new salt.</summary>
    public static string Make(byte[] password, bool isSha512)
    {
        const int rounds = 100_000;
        var salt = new byte[MaxSalt];
        var rest = salt.AsSpan();
        while (!rest.IsEmpty) rest = CryptBase64.Write(rest, RandomNumberGenerator.GetInt32(1 << 24), 4);
        var hash = new ShaCryptHash(isSha512, rounds, salt, []).Compute(password);
        return string.Create(CultureInfo.InvariantCulture, $"${(isSha512 ? 6 : 5)}${RoundsPrefix}{rounds}${Encoding.ASCII.GetString(salt)}${Encoding.ASCII.GetString(hash)}");
    }

    /// <inheritdoc />
    public override ValueTask<bool> MatchesAsync(byte[] password)
    {
        // A longer one is compared all the same, as far as that goes, or the time would tell that there is such a user.
        var most = MaxRoundsTimesBytes / _rounds;
        var isWhole = password.Length <= most;
        return ValueTask.FromResult(CryptographicOperations.FixedTimeEquals(Compute(isWhole ? password : password[..most]), _hash) & isWhole);
    }

    private byte[] Compute(byte[] password)
    {
        var size = _isSha512 ? SHA512.HashSizeInBytes : SHA256.HashSizeInBytes;
        var buffer = new byte[2 * password.Length + _salt.Length + size];
        try
        {
            var digest = FirstDigest(password, size);
            var repeatedPassword = Repeat(Digest(Times(password, password.Length)), password.Length);
            var repeatedSalt = Repeat(Digest(Times(_salt, 16 + digest[0])), _salt.Length);
            for (var round = 0; round < _rounds; round++)
            {
                var isOdd = (round & 1) != 0;
                var length = Append(buffer, 0, isOdd ? repeatedPassword : digest);
                if (round % 3 != 0) length = Append(buffer, length, repeatedSalt);
                if (round % 7 != 0) length = Append(buffer, length, repeatedPassword);
                length = Append(buffer, length, isOdd ? digest : repeatedPassword);
                Digest(buffer.AsSpan(0, length), digest);
            }
            CryptographicOperations.ZeroMemory(repeatedPassword);
            return Letters(digest);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private byte[] FirstDigest(byte[] password, int size)
    {
        var inner = Digest([.. password, .. _salt, .. password]);
        using var hash = IncrementalHash.CreateHash(_isSha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        hash.AppendData(password);
        hash.AppendData(_salt);
        for (var left = password.Length; left > 0; left -= size) hash.AppendData(inner, 0, Math.Min(left, size));
        for (var bits = password.Length; bits > 0; bits >>= 1) hash.AppendData((bits & 1) != 0 ? inner : password);
        return hash.GetHashAndReset();
    }

    private byte[] Digest(ReadOnlySpan<byte> data)
    {
        var digest = new byte[_isSha512 ? SHA512.HashSizeInBytes : SHA256.HashSizeInBytes];
        Digest(data, digest);
        return digest;
    }

    private void Digest(ReadOnlySpan<byte> data, Span<byte> digest)
    {
        if (_isSha512) SHA512.HashData(data, digest);
        else SHA256.HashData(data, digest);
    }

    private static int Append(byte[] buffer, int at, byte[] bytes)
    {
        bytes.CopyTo(buffer, at);
        return at + bytes.Length;
    }

    private static byte[] Times(byte[] bytes, int times)
    {
        var all = new byte[bytes.Length * times];
        for (var i = 0; i < times; i++) bytes.CopyTo(all, i * bytes.Length);
        return all;
    }

    private static byte[] Repeat(byte[] digest, int length)
    {
        var all = new byte[length];
        for (var i = 0; i < length; i++) all[i] = digest[i % digest.Length];
        return all;
    }

    // Each group of letters takes three bytes from three thirds of the digest, turned by one third from group to group.
    private byte[] Letters(byte[] digest)
    {
        var letters = new byte[_isSha512 ? Sha512Letters : Sha256Letters];
        var rest = letters.AsSpan();
        var third = digest.Length / 3;
        for (var i = 0; i < third; i++)
        {
            // SHA-512 turns to the left, SHA-256 to the right.
            var turn = _isSha512 ? i % 3 : (3 - i % 3) % 3;
            var (a, b, c) = (digest[i + turn * third], digest[i + (turn + 1) % 3 * third], digest[i + (turn + 2) % 3 * third]);
            rest = CryptBase64.Write(rest, (a << 16) | (b << 8) | c, 4);
        }
        if (_isSha512) CryptBase64.Write(rest, digest[63], 2);
        else CryptBase64.Write(rest, (digest[31] << 8) | digest[30], 3);
        return letters;
    }
}
