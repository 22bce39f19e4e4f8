using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>The result options of SEARCH and SORT, and the window of PARTIAL.</summary>
internal static class SearchReturnArguments
{
    /// <summary><c>(MIN MAX ALL COUNT SAVE RELEVANCY PARTIAL 1:100 UPDATE CONTEXT)</c>; none at all means ALL (RFC 4731 section 3.1). CONTEXT is a hint that nothing
    /// here can use (RFC 5267 section 4.2).</summary>
    public static bool Read(ref ImapLexer lexer, out SearchReturn? result)
    {
        result = null;
        var items = SearchReturnItems.None;
        PartialWindow window = default;
        ImmutableArray<FetchItem> updateItems = [];
        if (!lexer.Open()) return false;
        for (var first = true; lexer.Peek != ')'; first = false)
        {
            if (!first && !lexer.Space()) return false;
            if (lexer.TryWord("MIN"u8)) items |= SearchReturnItems.Min;
            else if (lexer.TryWord("MAX"u8)) items |= SearchReturnItems.Max;
            else if (lexer.TryWord("ALL"u8)) items |= SearchReturnItems.All;
            else if (lexer.TryWord("COUNT"u8)) items |= SearchReturnItems.Count;
            else if (lexer.TryWord("SAVE"u8)) items |= SearchReturnItems.Save;
            else if (lexer.TryWord("RELEVANCY"u8)) items |= SearchReturnItems.Relevancy;
            else if (lexer.TryWord("CONTEXT"u8)) continue;
            else if ((items & SearchReturnItems.Update) == 0 && lexer.TryWord("UPDATE"u8))
            {
                items |= SearchReturnItems.Update;
                if (lexer.TryLetters(" ("u8) && !FetchArguments.ListBehindParenthesis(ref lexer, out updateItems)) return false;
            }
            else if ((items & SearchReturnItems.Partial) == 0 && lexer.TryWord("PARTIAL"u8))
            {
                if (!lexer.Space() || !Window(ref lexer, out window)) return false;
                items |= SearchReturnItems.Partial;
            }
            else return lexer.Fail("Unknown result option");
        }
        // RFC 9394 section 3.1: the one asks for what the other is to keep back.
        const SearchReturnItems both = SearchReturnItems.All | SearchReturnItems.Partial;
        if ((items & both) == both) return lexer.Fail("ALL and PARTIAL exclude each other");
        result = new SearchReturn(items == SearchReturnItems.None ? SearchReturnItems.All : items, window) { UpdateItems = updateItems };
        return lexer.Close();
    }

    /// <summary>Only a fuzzy search has scores to tell or to sort by (RFC 6203 sections 4 and 6).</summary>
    public static bool MayScore(ref ImapLexer lexer, bool scores, SearchKey key) =>
        !scores || FuzzyKey.IsIn(key) || lexer.Fail("RELEVANCY needs a FUZZY search key");

    /// <summary><c>1:100</c> or <c>-1:-100</c>, either end first.</summary>
    public static bool Window(ref ImapLexer lexer, out PartialWindow window)
    {
        window = default;
        var fromEnd = lexer.TryTake('-');
        if (!lexer.NonZero(out var first) || !lexer.Take(':') || (fromEnd && !lexer.Take('-')) || !lexer.NonZero(out var last)) return false;
        window = first <= last ? new PartialWindow(first, last, fromEnd) : new PartialWindow(last, first, fromEnd);
        return true;
    }
}
