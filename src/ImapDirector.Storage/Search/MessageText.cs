using System.Buffers;
using System.Text;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Mime;
using MimeKit.IO;
using MimeKit.IO.Filters;

namespace ImapDirector.Storage.Search;

/// <summary>A message's text as a person reads it: encoded words, transfer encodings and charsets decoded (RFC 3501 section 6.4.4 asks for
/// MIME words at least). Attachments that are not text are passed over.</summary>
internal static class MessageText
{
    /// <summary>Of a header no more than this is searched; legitimate ones are far smaller, and it is decoded in memory.</summary>
    public const int MaxHeaderBytes = 1024 * 1024;

    private const int PieceChars = 8 * 1024;

    static MessageText() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>The fields of a header, unfolded and decoded.</summary>
    /// <param name="content">The message.</param>
    /// <param name="start">Where the header begins.</param>
    /// <param name="end">Behind it.</param>
    public static List<(string Name, string Value)> ReadHeader(Stream content, int start, int end)
    {
        var length = Math.Min(end - start, MaxHeaderBytes);
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            content.Position = start;
            length = content.ReadAtLeast(bytes.AsSpan(0, length), length, throwOnEndOfStream: false);
            return Fields(bytes.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Takes the lines of a header apart, each byte once; a line that is no field's is nobody's.</summary>
    private static List<(string Name, string Value)> Fields(ReadOnlySpan<byte> header)
    {
        var fields = new List<(string, string)>();
        while (!header.IsEmpty)
        {
            var field = header[..EndOfField(header)];
            header = header[field.Length..];
            var colon = field[..Math.Min(field.Length, MimeLimits.MaxFieldNameBytes + 1)].IndexOf((byte)':');
            if (colon < 0) continue;
            var name = field[..colon].TrimEnd(" \t"u8);
            if (name.IsEmpty || name.IndexOfAnyInRange((byte)0, (byte)' ') >= 0) continue;
            fields.Add((Encoding.Latin1.GetString(name), HeaderFacts.Decode(field[(colon + 1)..])));
        }
        return fields;
    }

    /// <summary>Behind the field's last line: the next one begins without white space.</summary>
    private static int EndOfField(ReadOnlySpan<byte> header)
    {
        var end = 0;
        do
        {
            var line = header[end..].IndexOf((byte)'\n');
            if (line < 0) return header.Length;
            end += line + 1;
        }
        while (end < header.Length && (header[end] is (byte)' ' or (byte)'\t'));
        return end;
    }

    /// <summary>Whether the text is in the body: in the text parts, and in the headers inside the body (of parts and of attached messages).</summary>
    public static bool BodyContains(Stream content, MessageSummary summary, TextMatcher matcher, CancellationToken cancellationToken)
    {
        foreach (var part in summary.Parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isRoot = part.IsMessage && part.Path.Length == 0;
            if (!isRoot && HeaderContains(ReadHeader(content, part.HeaderStart, part.BodyStart), matcher)) return true;
            if (IsText(part) && PartContains(content, part, matcher, cancellationToken)) return true;
        }
        return false;
    }

    public static bool HeaderContains(List<(string Name, string Value)> fields, TextMatcher matcher)
    {
        foreach (var (name, value) in fields)
        {
            matcher.Reset();
            if (matcher.Feed(name) || matcher.Feed(": ") || matcher.Feed(value)) return true;
        }
        return false;
    }

    /// <summary>Opens a text part: without its transfer encoding, in the charset it names.</summary>
    public static StreamReader OpenPart(Stream content, PartRecord part)
    {
        var decoded = new FilteredStream(new BoundStream(content, part.BodyStart, part.End, leaveOpen: true));
        decoded.Add(DecoderFilter.Create(part.Encoding));
        return new StreamReader(decoded, EncodingOf(part.Charset), detectEncodingFromByteOrderMarks: false, PieceChars);
    }

    /// <summary>Whether a part is text for people.</summary>
    public static bool IsText(PartRecord part) =>
        part.ContentType.Length == 0 || part.ContentType.StartsWith("text/", StringComparison.Ordinal);

    private static bool PartContains(Stream content, PartRecord part, TextMatcher matcher, CancellationToken cancellationToken)
    {
        using var reader = OpenPart(content, part);
        var piece = ArrayPool<char>.Shared.Rent(PieceChars);
        try
        {
            matcher.Reset();
            for (int read; (read = reader.Read(piece, 0, PieceChars)) > 0;)
            {
                if (matcher.Feed(piece.AsSpan(0, read))) return true;
                cancellationToken.ThrowIfCancellationRequested();
            }
            return false;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(piece);
        }
    }

    private static Encoding EncodingOf(string? charset)
    {
        // Text that claims to be ASCII, or nothing, and is not, is most often UTF-8.
        if (string.IsNullOrEmpty(charset) || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase)) return Encoding.UTF8;
        try
        {
            return Encoding.GetEncoding(charset);
        }
        catch (Exception unknown) when (unknown is ArgumentException or NotSupportedException)
        {
            return Encoding.Latin1;
        }
    }
}
