using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A set of UIDs that only grows at its upper end.</summary>
internal sealed class UidRanges
{
    private readonly List<SequenceRange> _ranges = [];

    /// <summary>Adds an inclusive range above all others.</summary>
    public void Add(uint first, uint last)
    {
        if (first > last) return;
        if (_ranges.Count > 0 && _ranges[^1].Last + 1 >= first) _ranges[^1] = _ranges[^1] with { Last = last };
        else _ranges.Add(new SequenceRange(first, last));
    }

    public bool Contains(uint uid)
    {
        var (low, high) = (0, _ranges.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].Last < uid) low = middle + 1;
            else if (_ranges[middle].First > uid) high = middle - 1;
            else return true;
        }
        return false;
    }

    /// <summary>How many of the ascending <paramref name="uids"/> are in the set.</summary>
    public int Count(ReadOnlySpan<uint> uids)
    {
        var count = 0;
        foreach (var range in _ranges)
            count += UidSearch.LowerBound(uids, (ulong)range.Last + 1) - UidSearch.LowerBound(uids, range.First);
        return count;
    }
}
