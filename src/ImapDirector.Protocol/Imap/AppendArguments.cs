namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of APPEND (with MULTIAPPEND, RFC 3502, and UTF8, RFC 6855) and REPLACE (RFC 8508), up to a message literal.</summary>
internal static class AppendArguments
{
    public static AppendCommand? Append(ref ImapLexer lexer, string tag) =>
        MailboxArguments.Of(ref lexer, out var mailbox) && lexer.Space() && Message(ref lexer, out var message)
            ? new AppendCommand(tag, mailbox, message.Flags, message.Date, message.Literal) { Utf8 = message.Utf8 }
            : null;

    public static ReplaceCommand? Replace(ref ImapLexer lexer, string tag, bool byUid)
    {
        if (!lexer.Space() || !lexer.SequenceSet(out var replaced)) return null;
        if (replaced.Ranges is not [var one] || one.First != one.Last)
        {
            lexer.Fail("REPLACE takes one message");
            return null;
        }
        return MailboxArguments.Of(ref lexer, out var mailbox) && lexer.Space() && Message(ref lexer, out var message)
            ? new ReplaceCommand(tag, byUid, replaced, mailbox, message)
            : null;
    }

    /// <summary>What stands between two messages, or behind the last.</summary>
    /// <param name="lexer">Behind a message literal.</param>
    /// <param name="closesUtf8">Whether that literal stood in <c>UTF8 (…)</c>.</param>
    /// <param name="next">The next message; <c>null</c> at the end of the command.</param>
    public static bool Rest(ref ImapLexer lexer, bool closesUtf8, out AppendMessage? next)
    {
        next = null;
        if (closesUtf8 && !lexer.Take(')')) return false;
        if (lexer.AtFrameEnd) return true;
        if (!lexer.Space() || !Message(ref lexer, out var message)) return false;
        next = message;
        return lexer.AtFrameEnd || lexer.Fail("Too many arguments");
    }

    private static bool Message(ref ImapLexer lexer, out AppendMessage message)
    {
        message = default;
        var flags = FlagList.Empty;
        if (lexer.Peek == '(' && !(MessageArguments.FlagsInParentheses(ref lexer, out flags) && lexer.Space())) return false;
        DateTimeOffset? date = null;
        if (lexer.Peek == '"')
        {
            if (!DateArguments.DateTime(ref lexer, out var given) || !lexer.Space()) return false;
            date = given;
        }
        var utf8 = lexer.TryWord("UTF8"u8);
        if (utf8 && !(lexer.Space() && lexer.Take('('))) return false;
        if (!lexer.LiteralHeader(out var literal)) return false;
        if (utf8 && !literal.Binary) return lexer.Fail("UTF8 takes a literal8");
        message = new AppendMessage(flags, date, literal, utf8);
        return true;
    }
}
