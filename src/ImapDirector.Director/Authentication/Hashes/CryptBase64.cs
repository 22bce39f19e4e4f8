using System.Buffers;

namespace ImapDirector.Director.Authentication;

/// <summary>The alphabet of crypt(3), and how its SHA schemes write bytes in it.</summary>
internal static class CryptBase64
{
    private const string Letters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>The letters.</summary>
    public static readonly SearchValues<char> Alphabet = SearchValues.Create(Letters);

    /// <summary>Writes 24 bits, the lowest six first.</summary>
    public static Span<byte> Write(Span<byte> output, int bits, int letters)
    {
        for (var i = 0; i < letters; i++, bits >>= 6) output[i] = (byte)Letters[bits & 0x3F];
        return output[letters..];
    }
}
