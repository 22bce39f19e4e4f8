using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>A range of a message's bytes.</summary>
internal readonly record struct ByteRange(long Start, long Length);

/// <summary>The bytes of a section: ranges of the message in order, and for a selection of header fields the empty line behind them.</summary>
internal sealed class SectionBytes(IReadOnlyList<ByteRange> ranges, int suffixStart, int suffixEnd)
{
    private const int PieceBytes = 32 * 1024;

    private static ReadOnlySpan<byte> EmptyLine => "\r\n"u8;

    /// <summary>How many there are.</summary>
    public long Length { get; } = ranges.Sum(static range => range.Length) + (suffixEnd - suffixStart);

    /// <param name="start">The first byte.</param>
    /// <param name="end">Behind the last byte.</param>
    public static SectionBytes Of(long start, long end) => new([new ByteRange(start, Math.Max(0, end - start))], 0, 0);

    public static SectionBytes WithEmptyLine(IReadOnlyList<ByteRange> ranges) => new(ranges, 0, EmptyLine.Length);

    /// <summary>The part of these bytes that a partial FETCH names; empty when it begins behind their end.</summary>
    public SectionBytes Cut(uint offset, uint length)
    {
        var from = Math.Min(offset, Length);
        var to = Math.Min(from + length, Length);
        var cut = new List<ByteRange>();
        var position = 0L;
        foreach (var range in ranges)
        {
            var start = Math.Max(from - position, 0);
            var end = Math.Min(to - position, range.Length);
            if (start < end) cut.Add(new ByteRange(range.Start + start, end - start));
            position += range.Length;
        }
        var suffix = suffixEnd - suffixStart;
        var suffixFrom = (int)Math.Clamp(from - position, 0, suffix);
        var suffixTo = (int)Math.Clamp(to - position, suffixFrom, suffix);
        return new SectionBytes(cut, suffixStart + suffixFrom, suffixStart + suffixTo);
    }

    /// <summary>Writes them, a piece at a time, as the peer takes them.</summary>
    /// <exception cref="StoreException">The content ended too soon: the announced literal cannot be completed.</exception>
    public async ValueTask CopyAsync(Stream content, ResponseStream output)
    {
        output.InLiteral = true;
        foreach (var range in ranges)
        {
            content.Position = range.Start;
            for (var left = range.Length; left > 0;)
            {
                var memory = output.GetMemory((int)Math.Min(left, PieceBytes));
                if (memory.Length > left) memory = memory[..(int)left];
                var read = await content.ReadAsync(memory);
                if (read == 0) throw new StoreException("A message is shorter than it should be.");
                // No literal may carry a NUL (RFC 3501 section 4.3); Dovecot sends 0x80 in its place as well.
                memory.Span[..read].Replace((byte)0, (byte)0x80);
                output.Advance(read);
                left -= read;
                await output.FlushIfLargeAsync();
            }
        }
        if (suffixStart < suffixEnd)
        {
            var span = output.GetSpan(EmptyLine.Length);
            EmptyLine[suffixStart..suffixEnd].CopyTo(span);
            output.Advance(suffixEnd - suffixStart);
        }
        output.InLiteral = false;
    }
}
