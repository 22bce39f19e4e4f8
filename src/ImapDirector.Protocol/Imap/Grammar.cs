using System.Buffers;

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

    /// <summary>Printable ASCII, space included.</summary>
    public static bool IsPrintable(byte value) => value is >= 0x20 and < 0x7F;

    /// <summary>The names of the months, three letters each.</summary>
    public static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;
}
