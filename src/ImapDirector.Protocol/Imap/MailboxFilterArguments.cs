using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The mailboxes of ESEARCH (RFC 7377) and NOTIFY (RFC 5465).</summary>
internal static class MailboxFilterArguments
{
    private const int MaxFilters = 16;

    private static readonly (string Name, MailboxFilterKind Kind)[] Kinds =
    [
        ("SELECTED", MailboxFilterKind.Selected),
        ("SELECTED-DELAYED", MailboxFilterKind.SelectedDelayed),
        ("INBOXES", MailboxFilterKind.Inboxes),
        ("PERSONAL", MailboxFilterKind.Personal),
        ("SUBSCRIBED", MailboxFilterKind.Subscribed),
        ("SUBTREE", MailboxFilterKind.Subtree),
        ("SUBTREE-ONE", MailboxFilterKind.SubtreeOne),
        ("MAILBOXES", MailboxFilterKind.Mailboxes),
    ];

    /// <summary><c>ESEARCH [IN (filter …)] [RETURN (…)] [CHARSET …] key …</c>.</summary>
    public static MultiSearchCommand? MultiSearch(ref ImapLexer lexer, string tag)
    {
        ImmutableArray<MailboxFilter> filters = [];
        if (lexer.TryWord(" IN"u8) && !(lexer.Space() && ItemList.Read<MailboxFilter>(ref lexer, Searched, MaxFilters, out filters))) return null;
        return SearchArguments.Search(ref lexer, tag, byUid: true) is { } search ? new MultiSearchCommand(tag, filters, search) : null;
    }

    private static bool Searched(ref ImapLexer lexer, out MailboxFilter filter) => Read(ref lexer, mayBeDelayed: false, out filter);

    /// <summary>One filter.</summary>
    /// <param name="lexer">In front of it.</param>
    /// <param name="mayBeDelayed">Whether <c>selected-delayed</c> is one.</param>
    /// <param name="filter">The filter.</param>
    public static bool Read(ref ImapLexer lexer, bool mayBeDelayed, out MailboxFilter filter)
    {
        filter = null!;
        var word = lexer.Word();
        foreach (var (name, kind) in Kinds)
        {
            if (!Ascii.EqualsIgnoreCase(word, name) || (kind == MailboxFilterKind.SelectedDelayed && !mayBeDelayed)) continue;
            ImmutableArray<MailboxName> mailboxes = [];
            if (kind >= MailboxFilterKind.Subtree && !(lexer.Space() && Names(ref lexer, out mailboxes))) return false;
            filter = new MailboxFilter(kind, mailboxes);
            return true;
        }
        return lexer.Fail("Unknown mailbox filter");
    }

    private static bool Names(ref ImapLexer lexer, out ImmutableArray<MailboxName> mailboxes)
    {
        if (lexer.Peek == '(') return ItemList.Read<MailboxName>(ref lexer, Name, ImapCommandParser.MaxListItems, out mailboxes);
        mailboxes = [];
        if (!Name(ref lexer, out var mailbox)) return false;
        mailboxes = [mailbox];
        return true;
    }

    private static bool Name(ref ImapLexer lexer, out MailboxName mailbox) => lexer.Mailbox(out mailbox);
}
