using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Search;

/// <summary>Search keys that keep their meaning while messages come and go: those of a context (RFC 5267 section 4.3).</summary>
internal static class LastingKey
{
    /// <summary>The key with the messages that it names by number, or as <c>$</c>, named by their UIDs; <c>*</c> at the end of a range takes in what comes later.</summary>
    public static SearchKey Of(SearchKey key, SelectedMailbox selected) =>
        // One for all that name it: it can be half a mailbox.
        Of(key, selected, new Lazy<UidKey>(() => Named(SequenceSet.SavedResult, byUid: true, selected)));

    private static SearchKey Of(SearchKey key, SelectedMailbox selected, Lazy<UidKey> saved) => key switch
    {
        AndKey and => new AndKey([.. and.Keys.Select(part => Of(part, selected, saved))]),
        OrKey or => new OrKey(Of(or.Left, selected, saved), Of(or.Right, selected, saved)),
        NotKey not => new NotKey(Of(not.Key, selected, saved)),
        FuzzyKey fuzzy => new FuzzyKey(Of(fuzzy.Key, selected, saved)),
        SequenceKey { Messages.IsSavedResult: true } or UidKey { Uids.IsSavedResult: true } => saved.Value,
        SequenceKey sequence => Named(sequence.Messages, byUid: false, selected),
        UidKey uids => new UidKey(new SequenceSet([.. uids.Uids.Ranges.Select(range => Open(range, selected))])),
        _ => key,
    };

    /// <summary>Whether a change of flags may change what the key says of a message.</summary>
    public static bool DependsOnFlags(SearchKey key) => key switch
    {
        AndKey and => and.Keys.Any(DependsOnFlags),
        OrKey or => DependsOnFlags(or.Left) || DependsOnFlags(or.Right),
        NotKey not => DependsOnFlags(not.Key),
        FuzzyKey fuzzy => DependsOnFlags(fuzzy.Key),
        FlagKey or KeywordKey or ModSeqKey => true,
        _ => false,
    };

    private static UidKey Named(SequenceSet set, bool byUid, SelectedMailbox selected)
    {
        var ranges = ImmutableArray.CreateBuilder<SequenceRange>();
        // Between the UIDs of neighbours there will never be another message.
        foreach (var (first, last) in selected.Resolve(set, byUid) ?? []) ranges.Add(new SequenceRange(selected.Uids[first], selected.Uids[last]));
        // A set of none would have no meaning: no message has the UID 0.
        if (ranges.Count == 0) ranges.Add(new SequenceRange(0, 0));
        return new UidKey(new SequenceSet(ranges.DrainToImmutable()));
    }

    private static SequenceRange Open(SequenceRange range, SelectedMailbox selected)
    {
        var highest = selected.Count == 0 ? 0 : selected.Uids[^1];
        if (range.First == SequenceSet.Star && range.Last == SequenceSet.Star) return new SequenceRange(highest, highest);
        if (range.First != SequenceSet.Star && range.Last != SequenceSet.Star) return range;
        return new SequenceRange(Math.Min(Math.Min(range.First, range.Last), highest), SequenceSet.Star - 1);
    }
}
