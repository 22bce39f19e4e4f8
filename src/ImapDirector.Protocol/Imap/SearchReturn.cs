using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>What SEARCH, SORT or THREAD is asked to answer with (RFC 4731 section 3.1, RFC 5182, RFC 5267 section 4, RFC 9394 section 3.1).</summary>
/// <param name="Items">At least one.</param>
/// <param name="Partial">The window of <see cref="SearchReturnItems.Partial"/>.</param>
public sealed record SearchReturn(SearchReturnItems Items, PartialWindow Partial = default)
{
    /// <summary>What is told of each message that comes to the result later, with <see cref="SearchReturnItems.Update"/> (RFC 5465 section 7).</summary>
    public ImmutableArray<FetchItem> UpdateItems { get; init; } = [];
}

/// <summary>The items of a <see cref="SearchReturn"/>.</summary>
[Flags]
public enum SearchReturnItems
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary><c>MIN</c>.</summary>
    Min = 1,
    /// <summary><c>MAX</c>.</summary>
    Max = 2,
    /// <summary><c>ALL</c>.</summary>
    All = 4,
    /// <summary><c>COUNT</c>.</summary>
    Count = 8,
    /// <summary><c>SAVE</c>: keep the result as <c>$</c>.</summary>
    Save = 16,
    /// <summary><c>PARTIAL</c>.</summary>
    Partial = 32,
    /// <summary><c>UPDATE</c>: tell of messages that come to the result and leave it.</summary>
    Update = 64,
    /// <summary><c>RELEVANCY</c>: how well each message matches, from 1 to 100 (RFC 6203 section 4).</summary>
    Relevancy = 128,
}

/// <summary>A window of a result: its places from 1, counted from the end where <paramref name="FromEnd"/> says so (RFC 9394 section 3.1).</summary>
/// <param name="First">The first place, at least 1, not above <paramref name="Last"/>.</param>
/// <param name="Last">The last place.</param>
/// <param name="FromEnd">Whether <c>-1</c> is place 1.</param>
public readonly record struct PartialWindow(uint First, uint Last, bool FromEnd)
{
    /// <summary>The part of so many results that the window shows.</summary>
    /// <returns>Index and length; both 0 when it shows none.</returns>
    public (int Start, int Length) Of(int count)
    {
        if (First > (uint)count) return (0, 0);
        var last = (int)Math.Min(Last, (uint)count);
        var length = last - (int)First + 1;
        return FromEnd ? (count - last, length) : ((int)First - 1, length);
    }
}
