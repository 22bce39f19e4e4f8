using System.Buffers;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The character classes of RFC 3501 section 9.</summary>
internal static class Grammar
{
    /// <summary>ATOM-CHAR: printable ASCII but for <c>( ) { SP % * " \ ]</c>.</summary>
    public static readonly SearchValues<byte> AtomChars = SearchValues.Create(
        "!#$&'+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[^_`abcdefghijklmnopqrstuvwxyz|}~"u8);

    /// <summary>ASTRING-CHAR: an ATOM-CHAR or <c>]</c>.</summary>
    public static readonly SearchValues<byte> AStringChars = SearchValues.Create(
        "!#$&'+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz|}~"u8);

    /// <summary>What a tag is made of: an ASTRING-CHAR but for <c>+</c>.</summary>
    public static readonly SearchValues<byte> TagChars = SearchValues.Create(
        "!#$&',-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz|}~"u8);

    /// <summary>list-char: an ATOM-CHAR, <c>]</c> or a wild card.</summary>
    public static readonly SearchValues<byte> ListChars = SearchValues.Create(
        "!#$%&'*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz|}~"u8);

    /// <summary>What base64 is written with, padding included.</summary>
    public static readonly SearchValues<byte> Base64Chars = SearchValues.Create(
        "+/0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What a sequence-set is made of.</summary>
    public static readonly SearchValues<byte> SequenceChars = SearchValues.Create("*,0123456789:"u8);

    /// <summary>Printable ASCII, space included.</summary>
    public static bool IsPrintable(byte value) => value is >= 0x20 and < 0x7F;

    /// <summary>The longest tag; no client uses a tenth of it, and it is echoed.</summary>
    public const int MaxTagLength = 128;

    /// <summary>The tag that <paramref name="line"/> begins with, or <c>null</c>.</summary>
    public static string? TagOf(ReadOnlySpan<byte> line)
    {
        var length = line.IndexOfAnyExcept(TagChars);
        if (length is <= 0 or > MaxTagLength || line[length] is not ((byte)' ' or (byte)'\r' or (byte)'\n')) return null;
        return Encoding.ASCII.GetString(line[..length]);
    }

    /// <summary>The names of the months, three letters each.</summary>
    public static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;
}
