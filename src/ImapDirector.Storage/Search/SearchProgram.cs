using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search;

/// <summary>A search key made ready for one run over a mailbox: sets resolved, texts prepared, and what is cheap asked before what is dear.</summary>
internal sealed class SearchProgram
{
    private readonly SelectedMailbox _selected;
    private readonly Func<CancellationToken> _deadline;
    private readonly Func<string, TextFilter?> _narrow;
    private readonly DateTimeOffset _now;
    private readonly Step _root;
    private readonly Dictionary<UidKey, UidRanges> _resolved = new(ReferenceEqualityComparer.Instance);
    private UidRanges? _saved;
    private bool _fuzzy;

    /// <param name="key">The criteria.</param>
    /// <param name="selected">The view that sequence numbers and <c>*</c> belong to.</param>
    /// <param name="narrow">What the text index leaves for a text, <c>null</c> for everything.</param>
    /// <param name="now">What YOUNGER and OLDER count from.</param>
    /// <param name="deadline">Ends the look at a message.</param>
    public SearchProgram(SearchKey key, SelectedMailbox selected, Func<string, TextFilter?> narrow, DateTimeOffset now, Func<CancellationToken> deadline)
    {
        _selected = selected;
        _narrow = narrow;
        _now = now;
        _deadline = deadline;
        _root = Prepare(key);
    }

    private enum Cost
    {
        Memory,
        Summary,
        Header,
        Body,
    }

    /// <summary>Whether MODSEQ is among the criteria.</summary>
    public bool AsksModSeq { get; private set; }

    public bool Matches(SearchCandidate candidate) => _root.Matches(candidate);

    private Step Prepare(SearchKey key) => key switch
    {
        AllKey => new Step(Cost.Memory, static _ => true),
        AndKey and => All(and.Keys),
        OrKey or => Any(or),
        NotKey not => Not(not),
        FuzzyKey fuzzy => Fuzzy(fuzzy),
        SequenceKey { Messages.IsSavedResult: true } or UidKey { Uids.IsSavedResult: true } => InSet(Saved(), static candidate => candidate.Message.Uid),
        SequenceKey set => InSet(Ranges(set.Messages.Resolve((uint)_selected.Count)), static candidate => candidate.Sequence),
        UidKey set => InSet(Resolved(set), static candidate => candidate.Message.Uid),
        FlagKey flag => new Step(Cost.Memory, candidate => ((candidate.Message.Flags & flag.Flag) != 0) == flag.Present),
        KeywordKey keyword => new Step(Cost.Memory, candidate => HasKeyword(candidate, keyword.Keyword) == keyword.Present),
        ModSeqKey changed => ModSeq(changed),
        AgeKey age => Age(age),
        EmailIdKey email => new Step(Cost.Memory, candidate => ObjectId.OfEmail(candidate.Message, _selected.ObjectScope) == email.Id),
        // No message has one (RFC 8474 section 5.2 allows NIL).
        ThreadIdKey => new Step(Cost.Memory, static _ => false),
        RecentKey recent => new Step(Cost.Memory, candidate => candidate.IsRecent == recent.Recent),
        SizeKey size => new Step(Cost.Memory, candidate => size.Larger ? candidate.Message.SizeBytes > size.Bytes : candidate.Message.SizeBytes < size.Bytes),
        // The day as its own time zone has it (RFC 3501 section 6.4.4 disregards time and zone).
        DateKey { Kind: DateKind.Internal } date => new Step(Cost.Memory, candidate => Compares(DateOnly.FromDateTime(candidate.Message.InternalDate.DateTime), date)),
        DateKey { Kind: DateKind.Saved } date => new Step(Cost.Memory, candidate => Compares(DateOnly.FromDateTime(candidate.Message.Saved.UtcDateTime), date)),
        DateKey date => new Step(Cost.Summary, candidate => candidate.Summary.SentDate is { } sent && Compares(sent, date)),
        HeaderKey header => Header(header),
        TextKey text => Text(text),
        _ => throw new InvalidOperationException($"The search key {key.GetType().Name} has no meaning."),
    };

    private Step All(ImmutableArray<SearchKey> keys)
    {
        var steps = keys.Select(Prepare).OrderBy(static step => step.Cost).ToArray();
        return new Step(steps.Max(static step => step.Cost), candidate => Array.TrueForAll(steps, step => step.Matches(candidate)));
    }

    private Step Any(OrKey or)
    {
        var (first, second) = (Prepare(or.Left), Prepare(or.Right));
        if (first.Cost > second.Cost) (first, second) = (second, first);
        return new Step(second.Cost, candidate => first.Matches(candidate) || second.Matches(candidate));
    }

    private Step Not(NotKey not)
    {
        var step = Prepare(not.Key);
        return new Step(step.Cost, candidate => !step.Matches(candidate));
    }

    /// <summary>What is not a text is matched to the letter all the same (RFC 6203 section 5 leaves it to the server).</summary>
    private Step Fuzzy(FuzzyKey key)
    {
        var outer = _fuzzy;
        _fuzzy = true;
        var step = Prepare(key.Key);
        _fuzzy = outer;
        return step;
    }

    private Step ModSeq(ModSeqKey key)
    {
        AsksModSeq = true;
        return new Step(Cost.Memory, candidate => candidate.Message.ModSeq >= key.ModSeq);
    }

    private Step Age(AgeKey key)
    {
        var limit = _now - TimeSpan.FromSeconds(key.Seconds);
        return new Step(Cost.Memory, candidate => candidate.Message.InternalDate >= limit == key.Younger);
    }

    private UidRanges Resolved(UidKey key)
    {
        if (!_resolved.TryGetValue(key, out var ranges)) _resolved.Add(key, ranges = Ranges(key.Uids.Resolve(_selected.Count == 0 ? 0 : _selected.Uids[^1])));
        return ranges;
    }

    /// <summary>Made once, however often it is named.</summary>
    private UidRanges Saved()
    {
        if (_saved is not null) return _saved;
        _saved = new UidRanges();
        foreach (var uid in _selected.SavedResult) _saved.Add(uid, uid);
        return _saved;
    }

    private static Step InSet(UidRanges set, Func<SearchCandidate, uint> number) =>
        new(Cost.Memory, candidate => set.Contains(number(candidate)));

    private static UidRanges Ranges(ImmutableArray<SequenceRange> ascending)
    {
        var ranges = new UidRanges();
        foreach (var (first, last) in ascending) ranges.Add(first, last);
        return ranges;
    }

    private static bool HasKeyword(SearchCandidate candidate, string keyword)
    {
        foreach (var known in candidate.Message.Keywords)
            if (known.Equals(keyword, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private static bool Compares(DateOnly day, DateKey key) => key.Comparison switch
    {
        DateComparison.Before => day < key.Date,
        DateComparison.On => day == key.Date,
        DateComparison.Since => day >= key.Date,
        _ => throw new InvalidOperationException($"The comparison {key.Comparison} has no meaning."),
    };

    private Step Header(HeaderKey key) => Containing(key.Text, Cost.Header, (candidate, matcher) =>
    {
        if (candidate.Summary.Texts is { } texts && texts.TryGet(key.Field, out var text)) return text is not null && matcher.IsIn(text);
        foreach (var (name, value) in candidate.Header)
            if (name.Equals(key.Field, StringComparison.OrdinalIgnoreCase) && matcher.IsIn(value)) return true;
        return false;
    });

    private Step Text(TextKey key) => Containing(key.Text, Cost.Body, (candidate, matcher) =>
        (key.IncludeHeader && MessageText.HeaderContains(candidate.Header, matcher))
        || MessageText.BodyContains(candidate.Content, candidate.Summary, matcher, _deadline()));

    /// <param name="text">What is looked for.</param>
    /// <param name="cost">What looking for it costs.</param>
    /// <param name="look">Looks for it where the key says, until it is found.</param>
    private Step Containing(string text, Cost cost, Func<SearchCandidate, TextMatcher, bool> look)
    {
        if (_fuzzy) return Resembling(new FuzzyMatcher(text), cost, look);
        var matcher = new SubstringMatcher(text);
        var filter = _narrow(text);
        return new Step(cost, candidate => filter?.Leaves(candidate.Message) != false && look(candidate, matcher));
    }

    private Step Resembling(FuzzyMatcher matcher, Cost cost, Func<SearchCandidate, TextMatcher, bool> look)
    {
        var filters = matcher.Words.Select(_narrow).ToArray();
        return new Step(cost, candidate =>
        {
            if (filters.Count(filter => filter?.Leaves(candidate.Message) != false) < matcher.Needed) return false;
            matcher.Begin();
            look(candidate, matcher);
            if (matcher.Score == 0) return false;
            candidate.AddScore(matcher.Score);
            return true;
        });
    }

    private sealed record Step(Cost Cost, Func<SearchCandidate, bool> Matches);
}
