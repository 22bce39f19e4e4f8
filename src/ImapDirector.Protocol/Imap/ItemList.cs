using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>Takes one item of a list.</summary>
internal delegate bool ItemReader<T>(ref ImapLexer lexer, out T item);

/// <summary>A list of one item or more in parentheses, which most of the grammar's lists are.</summary>
internal static class ItemList
{
    /// <summary>Takes <c>(item item …)</c>, of <paramref name="most"/> items at the most.</summary>
    public static bool Read<T>(ref ImapLexer lexer, ItemReader<T> read, int most, out ImmutableArray<T> items)
    {
        items = [];
        return lexer.Take('(') && ReadBehindParenthesis(ref lexer, read, most, out items);
    }

    /// <summary>As <see cref="Read"/>, where <c>(</c> has been taken already.</summary>
    public static bool ReadBehindParenthesis<T>(ref ImapLexer lexer, ItemReader<T> read, int most, out ImmutableArray<T> items)
    {
        items = [];
        if (!lexer.Deeper()) return false;
        var found = ImmutableArray.CreateBuilder<T>();
        do
        {
            if (found.Count > 0 && !lexer.Space()) return false;
            if (found.Count == most) return lexer.Fail("A list has too many items");
            if (!read(ref lexer, out var item)) return false;
            found.Add(item);
        }
        while (lexer.Peek == ' ');
        items = found.DrainToImmutable();
        return lexer.Close();
    }
}
