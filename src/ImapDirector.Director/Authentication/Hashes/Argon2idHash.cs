using System.Globalization;
using System.Security.Cryptography;
using NSec.Cryptography;

namespace ImapDirector.Director.Authentication;

/// <summary>An Argon2id hash in the PHC string format: <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>, Base64 without padding.</summary>
/// <param name="Cost">Within the bounds of <see cref="HashCost"/>, and 1 GiB of memory times passes.</param>
/// <param name="Salt">8 to 64 bytes.</param>
/// <param name="Hash">16 to 64 bytes.</param>
internal sealed record Argon2idHash(HashCost Cost, byte[] Salt, byte[] Hash) : PasswordHash
{
    public const int MaxMemoryKiB = 262_144;
    public const int MaxIterations = 16;
    public const int MaxLanes = 16;
    public const long MaxWork = 1_048_576;
    private const int MaxLength = 256;
    private const int SodiumSaltBytes = 16;

    /// <inheritdoc />
    public override PasswordScheme Scheme => PasswordScheme.Argon2id;

    /// <inheritdoc cref="PasswordHash.TryParse" />
    public static Argon2idHash? TryParse(string text)
    {
        if (text.Length > MaxLength) return null;
        var parts = text.Split('$');
        if (parts.Length != 6 || parts[0].Length != 0 || parts[1] != "argon2id" || parts[2] != "v=19") return null;
        var settings = parts[3].Split(',');
        if (settings.Length != 3 || ReadNumber(settings[0], "m=", MaxMemoryKiB) is not { } memory
            || ReadNumber(settings[1], "t=", MaxIterations) is not { } iterations
            || ReadNumber(settings[2], "p=", MaxLanes) is not { } lanes || memory < 8 * lanes) return null;
        var cost = new HashCost(memory, iterations, lanes);
        return cost.Work <= MaxWork && ReadBytes(parts[4], 8) is { } salt && ReadBytes(parts[5], 16) is { } hash ? new Argon2idHash(cost, salt, hash) : null;
    }

    /// <summary>The PHC string.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"$argon2id$v=19$m={Cost.MemoryKiB},t={Cost.Iterations},p={Cost.Lanes}${Convert.ToBase64String(Salt).TrimEnd('=')}${Convert.ToBase64String(Hash).TrimEnd('=')}");

    /// <summary>A hash of the same cost and salt; it may take the thread it runs on.</summary>
    public async Task<Argon2idHash> OfAsync(byte[] password)
    {
        // libsodium takes a quarter of the time and leaves no memory behind, but knows one lane and salts of one length only. Hashes from elsewhere may have others.
        if (Cost.Lanes == 1 && Salt.Length == SodiumSaltBytes)
        {
            var parameters = new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = Cost.MemoryKiB, NumberOfPasses = Cost.Iterations };
            return this with { Hash = new Argon2id(parameters).DeriveBytes(password, Salt, Hash.Length) };
        }
        using var argon = new Konscious.Security.Cryptography.Argon2id(password)
        {
            Salt = Salt,
            MemorySize = Cost.MemoryKiB,
            Iterations = Cost.Iterations,
            DegreeOfParallelism = Cost.Lanes,
        };
        return this with { Hash = await argon.GetBytesAsync(Hash.Length) };
    }

    /// <inheritdoc />
    public override async ValueTask<bool> MatchesAsync(byte[] password) => CryptographicOperations.FixedTimeEquals((await OfAsync(password)).Hash, Hash);

    /// <inheritdoc />
    public override bool IsWeakerThan(HashCost cost) => Cost.Work < cost.Work;

    private static int? ReadNumber(string text, string key, int max) =>
        text.StartsWith(key, StringComparison.Ordinal)
        && int.TryParse(text.AsSpan(key.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= 1 && number <= max ? number : null;

    private static byte[]? ReadBytes(string text, int minimum)
    {
        const int maximum = 64;
        Span<byte> bytes = stackalloc byte[maximum];
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(padded, bytes, out var length) && length >= minimum ? bytes[..length].ToArray() : null;
    }
}
