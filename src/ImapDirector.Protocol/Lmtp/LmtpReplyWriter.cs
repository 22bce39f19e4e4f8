using System.Buffers;
using System.Buffers.Text;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>Writes replies (RFC 5321 section 4.2). Whatever the text holds, a reply is one line, of printable ASCII, within the length that every client can take.</summary>
public static class LmtpReplyWriter
{
    /// <summary>The longest reply line, with its CRLF, in bytes (RFC 5321 section 4.5.3.1.5).</summary>
    public const int MaxLineBytes = 512;

    /// <summary>Writes one line.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="code">200 to 599.</param>
    /// <param name="enhanced">The enhanced status code (RFC 3463), or empty.</param>
    /// <param name="text">The text, without line ends; what cannot be written becomes <c>?</c>, what is too long is cut.</param>
    /// <param name="isLast">Whether no further line of this reply follows.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is none.</exception>
    public static void LmtpReply(this IBufferWriter<byte> output, int code, ReadOnlySpan<char> enhanced, ReadOnlySpan<char> text, bool isLast = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(code, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, 599);
        var line = output.GetSpan(MaxLineBytes)[..MaxLineBytes];
        Utf8Formatter.TryFormat(code, line, out var length);
        line[length++] = isLast ? (byte)' ' : (byte)'-';
        length += Printable(enhanced, line[length..^2]);
        if (!enhanced.IsEmpty && length < MaxLineBytes - 2) line[length++] = (byte)' ';
        length += Printable(text, line[length..^2]);
        "\r\n"u8.CopyTo(line[length..]);
        output.Advance(length + 2);
    }

    private static int Printable(ReadOnlySpan<char> text, Span<byte> line)
    {
        var length = Math.Min(text.Length, line.Length);
        for (var i = 0; i < length; i++) line[i] = text[i] is >= ' ' and < '\x7F' ? (byte)text[i] : (byte)'?';
        return length;
    }
}
