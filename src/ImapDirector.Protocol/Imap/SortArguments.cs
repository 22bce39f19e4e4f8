using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of SORT and THREAD (RFC 5256 section 3, RFC 5957 section 3, RFC 6203 section 6).</summary>
internal static class SortArguments
{
    // More cannot tell messages apart: each criterion once.
    private const int MaxCriteria = 20;

    private static readonly (string Name, SortKey Key)[] KeyNames =
    [
        ("ARRIVAL", SortKey.Arrival),
        ("CC", SortKey.Cc),
        ("DATE", SortKey.Date),
        ("FROM", SortKey.From),
        ("SIZE", SortKey.Size),
        ("SUBJECT", SortKey.Subject),
        ("TO", SortKey.To),
        ("DISPLAYFROM", SortKey.DisplayFrom),
        ("DISPLAYTO", SortKey.DisplayTo),
        ("RELEVANCY", SortKey.Relevancy),
    ];

    public static SortCommand? Sort(ref ImapLexer lexer, string tag, bool byUid)
    {
        SearchReturn? result = null;
        if (lexer.TryWord(" RETURN"u8) && !(lexer.Space() && SearchReturnArguments.Read(ref lexer, out result))) return null;
        if (!lexer.Space() || !ItemList.Read<SortCriterion>(ref lexer, Criterion, MaxCriteria, out var criteria) || !Rest(ref lexer, out var key)) return null;
        var scores = criteria.Any(static criterion => criterion.Key == SortKey.Relevancy) || (result?.Items.HasFlag(SearchReturnItems.Relevancy) ?? false);
        return SearchReturnArguments.MayScore(ref lexer, scores, key)
            ? new SortCommand(tag, byUid, criteria, key) { Return = result }
            : null;
    }

    public static ThreadCommand? Thread(ref ImapLexer lexer, string tag, bool byUid)
    {
        if (!lexer.Space() || !lexer.Atom(out var name)) return null;
        ThreadAlgorithm algorithm;
        if (Ascii.EqualsIgnoreCase(name, "REFERENCES"u8)) algorithm = ThreadAlgorithm.References;
        else if (Ascii.EqualsIgnoreCase(name, "REFS"u8)) algorithm = ThreadAlgorithm.Refs;
        else if (Ascii.EqualsIgnoreCase(name, "ORDEREDSUBJECT"u8)) algorithm = ThreadAlgorithm.OrderedSubject;
        else
        {
            lexer.Fail("Unknown threading algorithm");
            return null;
        }
        return Rest(ref lexer, out var key) ? new ThreadCommand(tag, byUid, algorithm, key) : null;
    }

    private static bool Rest(ref ImapLexer lexer, out SearchKey key)
    {
        key = null!;
        return lexer.Space() && SearchArguments.CharsetName(ref lexer, out _) && lexer.Space() && SearchArguments.Criteria(ref lexer, out key);
    }

    private static bool Criterion(ref ImapLexer lexer, out SortCriterion criterion)
    {
        criterion = default;
        var reverse = lexer.TryWord("REVERSE"u8);
        if (reverse && !lexer.Space()) return false;
        var word = lexer.Word();
        foreach (var (name, key) in KeyNames)
        {
            if (!Ascii.EqualsIgnoreCase(word, name)) continue;
            criterion = new SortCriterion(key, reverse);
            return true;
        }
        return lexer.Fail("Unknown sort criterion");
    }
}
