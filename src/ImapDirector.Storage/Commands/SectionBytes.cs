namespace ImapDirector.Storage.Commands;

/// <summary>A range of a message's bytes.</summary>
internal readonly record struct ByteRange(long Start, long Length);

/// <summary>The bytes of a section: ranges of the message in order, and what comes behind them that is not in the message (the empty line of a
/// selection of header fields).</summary>
internal sealed record SectionBytes(IReadOnlyList<ByteRange> Ranges, ReadOnlyMemory<byte> Suffix)
{
    private static readonly byte[] EmptyLine = "\r\n"u8.ToArray();

    /// <summary>How many there are.</summary>
    public long Length { get; } = Ranges.Sum(static range => range.Length) + Suffix.Length;

    /// <param name="start">The first byte.</param>
    /// <param name="end">Behind the last byte.</param>
    public static SectionBytes Of(long start, long end) => new([new ByteRange(start, Math.Max(0, end - start))], default);

    public static SectionBytes WithEmptyLine(IReadOnlyList<ByteRange> ranges) => new(ranges, EmptyLine);

    /// <summary>The part of these bytes that a partial FETCH names; empty when it begins behind their end.</summary>
    public SectionBytes Cut(uint offset, uint length)
    {
        var from = Math.Min(offset, Length);
        var to = Math.Min(from + length, Length);
        var cut = new List<ByteRange>();
        var position = 0L;
        foreach (var range in Ranges)
        {
            var start = Math.Max(from - position, 0);
            var end = Math.Min(to - position, range.Length);
            if (start < end) cut.Add(new ByteRange(range.Start + start, end - start));
            position += range.Length;
        }
        var suffixFrom = (int)Math.Clamp(from - position, 0, Suffix.Length);
        var suffixTo = (int)Math.Clamp(to - position, suffixFrom, Suffix.Length);
        return new SectionBytes(cut, Suffix[suffixFrom..suffixTo]);
    }
}
