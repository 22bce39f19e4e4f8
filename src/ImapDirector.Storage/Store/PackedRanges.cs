using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>Ascending ranges of UIDs that do not touch, packed: of each the distance from the one before and its length, in as few bytes as they need.</summary>
internal static class PackedRanges
{
    public static byte[] Encode(IReadOnlyList<SequenceRange> ranges)
    {
        var packed = new List<byte>(ranges.Count * 2);
        var end = 0u;
        foreach (var range in ranges)
        {
            Write(packed, range.First - end);
            Write(packed, range.Last - range.First);
            end = range.Last;
        }
        return [.. packed];
    }

    /// <returns><c>false</c> when this is nothing that <see cref="Encode"/> made; what was added to <paramref name="ranges"/> then means nothing.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> packed, List<SequenceRange> ranges)
    {
        var end = 0ul;
        while (!packed.IsEmpty)
        {
            if (!TryRead(ref packed, out var distance) || !TryRead(ref packed, out var length)) return false;
            var first = end + distance;
            end = first + length;
            if (distance == 0 || end > uint.MaxValue) return false;
            ranges.Add(new SequenceRange((uint)first, (uint)end));
        }
        return true;
    }

    private static void Write(List<byte> packed, uint number)
    {
        for (; number >= 0x80; number >>= 7) packed.Add((byte)(number | 0x80));
        packed.Add((byte)number);
    }

    private static bool TryRead(ref ReadOnlySpan<byte> packed, out ulong number)
    {
        number = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (packed.IsEmpty) return false;
            var next = packed[0];
            packed = packed[1..];
            number |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return true;
        }
        return false;
    }
}
