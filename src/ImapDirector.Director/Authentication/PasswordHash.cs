using System.Globalization;

namespace ImapDirector.Director.Authentication;

/// <summary>An Argon2id hash in the PHC string format: <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>, Base64 without padding.</summary>
/// <param name="MemoryKiB">8 per lane to 262,144.</param>
/// <param name="Iterations">1 to 16.</param>
/// <param name="Lanes">1 to 16.</param>
/// <param name="Salt">8 to 64 bytes.</param>
/// <param name="Hash">16 to 64 bytes.</param>
internal sealed record PasswordHash(int MemoryKiB, int Iterations, int Lanes, byte[] Salt, byte[] Hash)
{
    private const int MaxLength = 256;
    private const int MaxMemoryKiB = 262_144;
    private const int MaxIterations = 16;
    private const int MaxLanes = 16;

    /// <summary>Reads a PHC string. What is out of bounds is no hash: whoever can write to Redis must not be able to order gigabytes of work.</summary>
    public static PasswordHash? TryParse(string text)
    {
        if (text.Length > MaxLength) return null;
        var parts = text.Split('$');
        if (parts.Length != 6 || parts[0].Length != 0 || parts[1] != "argon2id" || parts[2] != "v=19") return null;
        var settings = parts[3].Split(',');
        if (settings.Length != 3 || ReadNumber(settings[0], "m=", MaxMemoryKiB) is not { } memory
            || ReadNumber(settings[1], "t=", MaxIterations) is not { } iterations
            || ReadNumber(settings[2], "p=", MaxLanes) is not { } lanes || memory < 8 * lanes) return null;
        return ReadBytes(parts[4], 8) is { } salt && ReadBytes(parts[5], 16) is { } hash
            ? new PasswordHash(memory, iterations, lanes, salt, hash)
            : null;
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"$argon2id$v=19$m={MemoryKiB},t={Iterations},p={Lanes}${Convert.ToBase64String(Salt).TrimEnd('=')}${Convert.ToBase64String(Hash).TrimEnd('=')}");

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
