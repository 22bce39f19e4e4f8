using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of STORE, COPY and MOVE, and flag lists.</summary>
internal static class MessageArguments
{
    public static StoreCommand? Store(ref ImapLexer lexer, string tag, bool byUid)
    {
        if (!lexer.Space() || !lexer.SequenceSet(out var messages) || !lexer.Space()) return null;
        if (!UnchangedSince(ref lexer, out var unchangedSince)) return null;
        var operation = lexer.TryTake('+') ? StoreOperation.Add : lexer.TryTake('-') ? StoreOperation.Remove : StoreOperation.Replace;
        var silent = lexer.TryWord("FLAGS.SILENT"u8);
        if (!silent && !lexer.TryWord("FLAGS"u8))
        {
            lexer.Fail("Unknown data item");
            return null;
        }
        if (!lexer.Space()) return null;
        FlagList flags;
        var read = lexer.Peek == '(' ? FlagsInParentheses(ref lexer, out flags) : Flags(ref lexer, out flags);
        return read ? new StoreCommand(tag, byUid, messages, operation, silent, flags) { UnchangedSince = unchangedSince } : null;
    }

    /// <summary><c>(UNCHANGEDSINCE n)</c> in front of the data item (RFC 7162 section 3.1.3).</summary>
    private static bool UnchangedSince(ref ImapLexer lexer, out ulong? unchangedSince)
    {
        unchangedSince = null;
        if (lexer.Peek != '(') return true;
        if (!lexer.Open()) return false;
        if (!lexer.TryWord("UNCHANGEDSINCE"u8)) return lexer.Fail("Unknown modifier");
        if (!lexer.Space() || !lexer.ModSeq(out var modSeq)) return false;
        unchangedSince = modSeq;
        return lexer.Close() && lexer.Space();
    }

    public static CopyCommand? Copy(ref ImapLexer lexer, string tag, bool byUid, bool move) =>
        lexer.Space() && lexer.SequenceSet(out var messages) && MailboxArguments.Of(ref lexer, out var mailbox)
            ? new CopyCommand(tag, byUid, messages, mailbox, move)
            : null;

    /// <summary>A flag-list, which may be empty.</summary>
    public static bool FlagsInParentheses(ref ImapLexer lexer, out FlagList flags)
    {
        flags = FlagList.Empty;
        return lexer.Open() && (lexer.Peek == ')' || Flags(ref lexer, out flags)) && lexer.Close();
    }

    /// <summary>A keyword of STORE, APPEND or SEARCH.</summary>
    public static bool Keyword(ref ImapLexer lexer, out ReadOnlySpan<byte> keyword) =>
        lexer.Atom(out keyword) && (keyword.Length <= FlagList.MaxKeywordBytes || lexer.Fail("A keyword is too long", ParseErrorKind.Refused));

    private static bool Flags(ref ImapLexer lexer, out FlagList flags)
    {
        flags = FlagList.Empty;
        var system = SystemFlags.None;
        var keywords = ImmutableArray.CreateBuilder<string>();
        do
        {
            if (lexer.TryTake('\\'))
            {
                if (!lexer.Atom(out var name)) return false;
                var flag = FlagNames.Find(name);
                if (flag == SystemFlags.None) return lexer.Fail("A system flag is not known or cannot be set");
                system |= flag;
                continue;
            }
            if (!Keyword(ref lexer, out var keyword)) return false;
            if (Holds(keywords, keyword)) continue;
            if (keywords.Count == FlagList.MaxKeywords) return lexer.Fail("Too many keywords", ParseErrorKind.Refused);
            keywords.Add(Encoding.ASCII.GetString(keyword));
        }
        while (lexer.TryNext());
        flags = new FlagList(system, keywords.DrainToImmutable());
        return true;
    }

    private static bool Holds(ImmutableArray<string>.Builder keywords, ReadOnlySpan<byte> keyword)
    {
        for (var i = 0; i < keywords.Count; i++)
            if (Ascii.EqualsIgnoreCase(keyword, keywords[i])) return true;
        return false;
    }
}
