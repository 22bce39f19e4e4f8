using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>A sequence-set (RFC 3501 section 9) of message numbers or UIDs: ranges in the client's order, not yet merged.
/// <c>*</c> is kept as <see cref="Star"/> until <see cref="Resolve"/>.</summary>
/// <param name="Ranges">1 to 10,000 ranges (limits N4).</param>
public sealed record SequenceSet(ImmutableArray<SequenceRange> Ranges)
{
    /// <summary>Stands for <c>*</c>, the largest number in use (it is not a valid number itself: those end at 2^32-1, which it equals; RFC's nz-number
    /// <c>4294967295</c> and <c>*</c> therefore mean the same).</summary>
    public const uint Star = uint.MaxValue;

    /// <summary>The set as sorted, merged, ascending ranges with every <c>*</c> replaced by <paramref name="largest"/>
    /// (ranges given backwards are turned round). Numbers above <paramref name="largest"/> stay: the caller ignores or refuses them.</summary>
    /// <param name="largest">The largest message number or UID in the mailbox; 0 when it is empty, then <c>*</c> matches nothing.</param>
    public ImmutableArray<SequenceRange> Resolve(uint largest) => throw new NotImplementedException();
}

/// <summary>An inclusive range of a <see cref="SequenceSet"/>.</summary>
public readonly record struct SequenceRange(uint First, uint Last);
