namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of SELECT and EXAMINE, with the parameters of RFC 7162.</summary>
internal static class SelectArguments
{
    public static SelectCommand? Select(ref ImapLexer lexer, string tag, bool readOnly)
    {
        if (!MailboxArguments.Of(ref lexer, out var mailbox)) return null;
        var select = new SelectCommand(tag, mailbox, readOnly);
        if (!lexer.TryNext()) return select;
        if (!lexer.Open()) return null;
        do
        {
            if (lexer.TryWord("CONDSTORE"u8))
            {
                select = select with { CondStore = true };
                continue;
            }
            if (!lexer.TryWord("QRESYNC"u8) || select.QResync is not null)
            {
                lexer.Fail("Unknown parameter");
                return null;
            }
            if (!lexer.Space() || !QResync(ref lexer, out var state)) return null;
            select = select with { QResync = state };
        }
        while (lexer.TryNext());
        return lexer.Close() ? select : null;
    }

    /// <summary><c>(uidvalidity modseq [known-uids] [(known-sequence-set known-uid-set)])</c>.</summary>
    private static bool QResync(ref ImapLexer lexer, out QResyncState state)
    {
        state = null!;
        SequenceSet? known = null;
        if (!lexer.Open() || !lexer.NonZero(out var validity) || !lexer.Space() || !lexer.ModSeq(out var modSeq)) return false;
        var next = lexer.TryTake(' ');
        if (next && lexer.Peek != '(')
        {
            if (!lexer.SequenceSet(out known)) return false;
            next = lexer.TryTake(' ');
        }
        if (next && !(lexer.Open() && lexer.SequenceSet(out _) && lexer.Space() && lexer.SequenceSet(out _) && lexer.Close())) return false;
        state = new QResyncState(validity, modSeq, known) { MatchesNumbers = next };
        return lexer.Close();
    }
}
