using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Commands;

/// <summary>Which commands name messages by their numbers, or would be answered with them. A client that has given the numbers up may not use
/// these (RFC 9586 section 3). REPLACE is not among them here: its message has to be read before it can be refused.</summary>
internal static class MessageNumbers
{
    public static bool AreUsedBy(ImapCommand command) => command switch
    {
        FetchCommand fetch => !fetch.ByUid,
        StoreCommand store => !store.ByUid,
        CopyCommand copy => !copy.ByUid,
        SearchCommand search => !search.ByUid || AreIn(search.Key),
        SortCommand sort => !sort.ByUid || AreIn(sort.Key),
        ThreadCommand thread => !thread.ByUid || AreIn(thread.Key),
        MultiSearchCommand multi => AreIn(multi.Search.Key),
        SelectCommand select => select.QResync is { MatchesNumbers: true },
        _ => false,
    };

    /// <summary>What a search saved is no number, although it stands where one may.</summary>
    public static bool AreIn(SearchKey key) => key switch
    {
        SequenceKey sequence => !sequence.Messages.IsSavedResult,
        NotKey not => AreIn(not.Key),
        FuzzyKey fuzzy => AreIn(fuzzy.Key),
        OrKey or => AreIn(or.Left) || AreIn(or.Right),
        AndKey and => and.Keys.Any(AreIn),
        _ => false,
    };
}
