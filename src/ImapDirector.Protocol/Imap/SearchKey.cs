using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>A search criterion (RFC 3501 section 6.4.4). Negated forms (UNSEEN, UNKEYWORD …) carry <c>Present = false</c> instead of a NOT.</summary>
public abstract record SearchKey;

/// <summary>ALL.</summary>
public sealed record AllKey : SearchKey;

/// <summary>Several keys, all of which must match.</summary>
public sealed record AndKey(ImmutableArray<SearchKey> Keys) : SearchKey;

/// <summary>OR.</summary>
public sealed record OrKey(SearchKey Left, SearchKey Right) : SearchKey;

/// <summary>NOT.</summary>
public sealed record NotKey(SearchKey Key) : SearchKey;

/// <summary>A sequence-set of message numbers.</summary>
public sealed record SequenceKey(SequenceSet Messages) : SearchKey;

/// <summary>UID.</summary>
public sealed record UidKey(SequenceSet Uids) : SearchKey;

/// <summary>SEEN, UNSEEN, ANSWERED, … : exactly one bit of <see cref="SystemFlags"/>.</summary>
public sealed record FlagKey(SystemFlags Flag, bool Present) : SearchKey;

/// <summary>KEYWORD and UNKEYWORD.</summary>
public sealed record KeywordKey(string Keyword, bool Present) : SearchKey;

/// <summary>RECENT (<c>true</c>) and OLD (<c>false</c>); NEW is RECENT and UNSEEN in an <see cref="AndKey"/>.</summary>
public sealed record RecentKey(bool Recent) : SearchKey;

/// <summary>BEFORE, ON, SINCE, SENTBEFORE, SENTON, SENTSINCE (RFC 3501), SAVEDBEFORE, SAVEDON, SAVEDSINCE (RFC 8514).</summary>
public sealed record DateKey(DateKind Kind, DateComparison Comparison, DateOnly Date) : SearchKey;

/// <summary>Which date of a message a <see cref="DateKey"/> asks for.</summary>
public enum DateKind
{
    /// <summary>INTERNALDATE.</summary>
    Internal,
    /// <summary>The Date field.</summary>
    Sent,
    /// <summary>When it came into the mailbox (RFC 8514).</summary>
    Saved,
}

/// <summary>How a <see cref="DateKey"/> compares.</summary>
public enum DateComparison
{
    /// <summary>Earlier than the day.</summary>
    Before,
    /// <summary>Within the day.</summary>
    On,
    /// <summary>The day or later.</summary>
    Since,
}

/// <summary>LARGER (<c>true</c>) and SMALLER (<c>false</c>), in bytes, both exclusive.</summary>
public sealed record SizeKey(bool Larger, uint Bytes) : SearchKey;

/// <summary>HEADER, and BCC, CC, FROM, SUBJECT, TO by their field names. An empty text asks whether the field is there.</summary>
public sealed record HeaderKey(string Field, string Text) : SearchKey;

/// <summary>BODY (<c>false</c>) and TEXT (<c>true</c>: header and body).</summary>
public sealed record TextKey(bool IncludeHeader, string Text) : SearchKey;

/// <summary>MODSEQ: changed at this mod-sequence or later (RFC 7162 section 3.1.5). The entry a client may name is read and not kept: a message
/// has one mod-sequence for all its metadata.</summary>
public sealed record ModSeqKey(ulong ModSeq) : SearchKey;

/// <summary>YOUNGER (<c>true</c>) and OLDER (<c>false</c>): INTERNALDATE within the last so many seconds, or not (RFC 5032).</summary>
public sealed record AgeKey(bool Younger, uint Seconds) : SearchKey;

/// <summary>EMAILID (RFC 8474 section 6).</summary>
public sealed record EmailIdKey(string Id) : SearchKey;

/// <summary>FUZZY: the texts within are matched as a person would take them, not to the letter (RFC 6203 section 3).</summary>
public sealed record FuzzyKey(SearchKey Key) : SearchKey
{
    /// <summary>Whether a part of the key is matched so.</summary>
    public static bool IsIn(SearchKey key) => key switch
    {
        FuzzyKey => true,
        AndKey and => and.Keys.Any(IsIn),
        OrKey or => IsIn(or.Left) || IsIn(or.Right),
        NotKey not => IsIn(not.Key),
        _ => false,
    };
}

/// <summary>THREADID (RFC 8474 section 6).</summary>
public sealed record ThreadIdKey(string Id) : SearchKey;
