using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Search;

/// <summary>A result that is kept up to date (RFC 5267 section 4.3).</summary>
internal sealed class SearchContext
{
    private readonly SelectedMailbox _selected;
    private readonly SearchProgram _program;
    // Ascending; four bytes a message, for it may be all of a large mailbox.
    private uint[] _found;
    // Which are to come with the next update, and which of them are there already.
    private readonly List<uint> _adding = [];

    /// <param name="selected">The mailbox.</param>
    /// <param name="wanted">What was asked for.</param>
    /// <param name="found">What is in the result now, in order.</param>
    /// <param name="deadline">Ends what an update takes.</param>
    public SearchContext(SelectedMailbox selected, WantedContext wanted, IReadOnlyList<uint> found, Func<CancellationToken> deadline)
    {
        _selected = selected;
        Wanted = wanted;
        _found = [.. found];
        if (IsSorted)
        {
            Order = [.. found];
            Array.Sort(_found);
        }
        // The text index knows of what is there now; what comes is read.
        _program = new SearchProgram(LastingKey.Of(wanted.Key, selected), selected, static _ => null, DateTimeOffset.UtcNow, deadline);
        DependsOnFlags = LastingKey.DependsOnFlags(wanted.Key);
    }

    public WantedContext Wanted { get; }

    /// <summary>Whether flags that change may bring a message in or take it out.</summary>
    public bool DependsOnFlags { get; }

    public bool IsSorted => !Wanted.Criteria.IsEmpty;

    /// <summary>The result in its order; only where it is sorted.</summary>
    public List<uint> Order { get; } = [];

    /// <summary>What comes to the result, ascending.</summary>
    public IReadOnlyList<uint> Adding => _adding;

    /// <summary>Looks at a message that has changed or come.</summary>
    /// <returns>Whether it leaves the result.</returns>
    public bool Leaves(SearchCandidate candidate)
    {
        var uid = candidate.Message.Uid;
        var isThere = Contains(uid);
        if (_program.Matches(candidate) == isThere) return false;
        if (isThere) return true;
        _adding.Add(uid);
        return false;
    }

    /// <summary>How many messages are in the result.</summary>
    public int Count => _found.Length;

    public bool Contains(uint uid) => Array.BinarySearch(_found, uid) >= 0;

    /// <summary>Takes messages out, which ascend.</summary>
    public void Remove(List<uint> leaving) => _found = Array.FindAll(_found, uid => leaving.BinarySearch(uid) < 0);

    /// <summary>What was coming is there.</summary>
    public void EndAdding()
    {
        _found = [.. _found, .. _adding];
        Array.Sort(_found);
        _adding.Clear();
    }

    /// <summary>What is to be added to <see cref="Order"/>, each with its place, from 1, at which it stands once those before it are there.</summary>
    public async Task<List<(int Place, uint Uid)>> SortInAsync(CancellationToken deadline)
    {
        var coming = _adding.ToHashSet();
        var all = await _selected.Mail.Store.Order.SortedAsync(_selected.Shared.Id, Wanted.Criteria, deadline);
        all.RemoveAll(uid => !coming.Contains(uid) && !Contains(uid));
        var places = new List<(int, uint)>();
        for (var i = 0; i < all.Count; i++)
            if (coming.Contains(all[i])) places.Add((i + 1, all[i]));
        return places;
    }
}

/// <summary>What a command asks for whose result is to be kept up to date.</summary>
/// <param name="Tag">The command's.</param>
/// <param name="ByUid">Whether messages are told by their UIDs.</param>
/// <param name="Key">The criteria.</param>
/// <param name="Criteria">The order, or none for that of the mailbox.</param>
/// <param name="Items">What is told of each message that comes to it (RFC 5465 section 7).</param>
internal sealed record WantedContext(string Tag, bool ByUid, SearchKey Key, ImmutableArray<SortCriterion> Criteria, ImmutableArray<FetchItem> Items);
