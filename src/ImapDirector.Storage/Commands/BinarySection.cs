using System.Buffers;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
using MimeKit.IO;
using MimeKit.IO.Filters;

namespace ImapDirector.Storage.Commands;

/// <summary>A part without its transfer encoding (BINARY, RFC 3516). It is decoded as it is read: once to learn its size, once more to send it.</summary>
internal sealed class BinarySection
{
    private const int PieceBytes = 32 * 1024;

    private readonly Stream _content;
    private readonly long _start;
    private readonly long _end;
    private readonly string _encoding;

    private BinarySection(Stream content, long start, long end, string encoding) => (_content, _start, _end, _encoding) = (content, start, end, encoding);

    /// <summary>How many bytes there are.</summary>
    public long Length { get; private set; }

    /// <summary>Whether there is a NUL among them, so that only a literal8 can hold them.</summary>
    public bool HasNul { get; private set; }

    /// <param name="section">Part numbers; none for the message as a whole, which has no encoding of its own.</param>
    /// <param name="summary">The message's.</param>
    /// <param name="content">The message.</param>
    /// <param name="isUnknown">Whether the part is encoded in a way that is not known here.</param>
    /// <returns><c>null</c> when there is no such part, or it cannot be decoded.</returns>
    public static BinarySection? Find(BodySection section, MessageSummary? summary, Stream content, out bool isUnknown)
    {
        isUnknown = false;
        if (section.IsWholeMessage()) return Measured(new BinarySection(content, 0, content.Length, "7bit"));
        if (SectionLocator.FindPart(section, summary!) is not { } part) return null;
        isUnknown = part.Encoding is not ("7bit" or "8bit" or "binary" or "base64" or "quoted-printable" or "x-uuencode" or "uuencode");
        return isUnknown ? null : Measured(new BinarySection(content, part.BodyStart, part.End, part.Encoding));
    }

    /// <summary>Sends it as a literal, or the part of it that is named.</summary>
    public async ValueTask SendAsync(PartialRange? partial, ResponseStream output)
    {
        var from = Math.Min(partial?.Offset ?? 0, Length);
        var to = partial is { } range ? Math.Min(from + range.Length, Length) : Length;
        if (HasNul) output.Raw("~"u8);
        output.LiteralHeader(to - from);
        output.InLiteral = true;
        var position = 0L;
        await using var decoded = Open();
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            while (position < to)
            {
                var read = await decoded.ReadAsync(piece.AsMemory(0, PieceBytes));
                if (read == 0) throw new StoreException("A message is shorter than it should be.");
                var first = (int)Math.Clamp(from - position, 0, read);
                var last = (int)Math.Clamp(to - position, 0, read);
                output.Write(piece.AsSpan(first..last));
                position += read;
                await output.FlushIfLargeAsync();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
        output.InLiteral = false;
    }

    private static BinarySection Measured(BinarySection section)
    {
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            using var decoded = section.Open();
            for (int read; (read = decoded.Read(piece, 0, PieceBytes)) > 0; section.Length += read) section.HasNul |= piece.AsSpan(0, read).Contains((byte)0);
            return section;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private FilteredStream Open()
    {
        var decoded = new FilteredStream(new BoundStream(_content, _start, _end, leaveOpen: true));
        if (_encoding is not ("7bit" or "8bit" or "binary")) decoded.Add(DecoderFilter.Create(_encoding));
        return decoded;
    }
}
