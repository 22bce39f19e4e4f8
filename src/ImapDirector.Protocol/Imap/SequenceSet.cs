using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>A sequence-set (RFC 3501 section 9) of message numbers or UIDs: ranges in the client's order, not yet merged.
/// <c>*</c> is kept as <see cref="Star"/> until <see cref="Resolve"/>.</summary>
/// <param name="Ranges">1 to 10,000 ranges (limits N4); none in <see cref="SavedResult"/>.</param>
public sealed record SequenceSet(ImmutableArray<SequenceRange> Ranges)
{
    /// <summary>Stands for <c>*</c>, the largest number in use (it is not a valid number itself: those end at 2^32-1, which it equals; RFC's nz-number
    /// <c>4294967295</c> and <c>*</c> therefore mean the same).</summary>
    public const uint Star = uint.MaxValue;

    /// <summary><c>$</c>: the messages that the last SEARCH saved (RFC 5182). It has no ranges of its own.</summary>
    public static readonly SequenceSet SavedResult = new([]) { IsSavedResult = true };

    /// <summary>Whether this is <c>$</c>.</summary>
    public bool IsSavedResult { get; private init; }

    /// <summary>The most ranges a client may name (limits N4).</summary>
    public const int MaxRanges = 10_000;

    /// <summary>The set as sorted, merged, ascending ranges with every <c>*</c> replaced by <paramref name="largest"/>
    /// (ranges given backwards are turned round). Numbers above <paramref name="largest"/> stay: the caller ignores or refuses them.</summary>
    /// <param name="largest">The largest message number or UID in the mailbox; 0 when it is empty, then <c>*</c> matches nothing.</param>
    public ImmutableArray<SequenceRange> Resolve(uint largest)
    {
        var sorted = new SequenceRange[Ranges.Length];
        var count = 0;
        foreach (var (first, last) in Ranges)
        {
            if (largest == 0 && (first == Star || last == Star)) continue;
            var from = first == Star ? largest : first;
            var to = last == Star ? largest : last;
            sorted[count++] = from <= to ? new SequenceRange(from, to) : new SequenceRange(to, from);
        }
        if (count == 0) return [];
        Array.Sort(sorted, 0, count, ByFirst);

        var merged = 0;
        for (var i = 1; i < count; i++)
        {
            ref var current = ref sorted[merged];
            if (sorted[i].First <= (ulong)current.Last + 1)
                current = current with { Last = Math.Max(current.Last, sorted[i].Last) };
            else
                sorted[++merged] = sorted[i];
        }
        return ImmutableArray.Create(sorted, 0, merged + 1);
    }

    private static readonly Comparer<SequenceRange> ByFirst = Comparer<SequenceRange>.Create((a, b) => a.First.CompareTo(b.First));
}

/// <summary>An inclusive range of a <see cref="SequenceSet"/>.</summary>
public readonly record struct SequenceRange(uint First, uint Last);
