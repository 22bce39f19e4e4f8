using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of the commands on mailboxes as a whole: SELECT, CREATE, RENAME, STATUS, APPEND and their like.</summary>
internal static class MailboxArguments
{
    /// <summary>The special-use attributes of RFC 6154 section 2 as it spells them.</summary>
    private static readonly string[] SpecialUses = [@"\All", @"\Archive", @"\Drafts", @"\Flagged", @"\Junk", @"\Sent", @"\Trash"];

    private const int MaxSpecialUses = 16;

    private static readonly (string Name, StatusItem Item)[] StatusNames =
    [
        ("MESSAGES", StatusItem.Messages),
        ("RECENT", StatusItem.Recent),
        ("UIDNEXT", StatusItem.UidNext),
        ("UIDVALIDITY", StatusItem.UidValidity),
        ("UNSEEN", StatusItem.Unseen),
        ("DELETED", StatusItem.Deleted),
        ("SIZE", StatusItem.Size),
        ("HIGHESTMODSEQ", StatusItem.HighestModSeq),
        ("MAILBOXID", StatusItem.MailboxId),
        ("APPENDLIMIT", StatusItem.AppendLimit),
        ("DELETED-STORAGE", StatusItem.DeletedStorage),
    ];

    /// <summary>One mailbox and nothing else.</summary>
    public static bool Of(ref ImapLexer lexer, out MailboxName mailbox)
    {
        mailbox = default;
        return lexer.Space() && lexer.Mailbox(out mailbox);
    }

    public static RenameCommand? Rename(ref ImapLexer lexer, string tag) =>
        Of(ref lexer, out var from) && Of(ref lexer, out var to) ? new RenameCommand(tag, from, to) : null;

    public static CreateCommand? Create(ref ImapLexer lexer, string tag)
    {
        if (!lexer.Space() || !lexer.Mailbox(out var mailbox, cutDelimiter: true)) return null;
        if (!lexer.TryNext()) return new CreateCommand(tag, mailbox, []);
        if (!lexer.Open()) return null;
        if (!lexer.TryWord("USE"u8))
        {
            lexer.Fail("Unknown parameter");
            return null;
        }
        if (!lexer.Space() || !lexer.Open()) return null;
        var uses = ImmutableArray.CreateBuilder<string>();
        while (lexer.Peek != ')')
        {
            if (uses.Count > 0 && !lexer.Space()) return null;
            if (uses.Count == MaxSpecialUses)
            {
                lexer.Fail("Too many attributes");
                return null;
            }
            if (!lexer.Take('\\') || !lexer.Atom(out var name)) return null;
            var use = @"\" + Encoding.ASCII.GetString(name);
            uses.Add(Array.Find(SpecialUses, known => known.Equals(use, StringComparison.OrdinalIgnoreCase)) ?? use);
        }
        return lexer.Close() && lexer.Close() ? new CreateCommand(tag, mailbox, uses.DrainToImmutable()) : null;
    }

    public static StatusCommand? Status(ref ImapLexer lexer, string tag) =>
        Of(ref lexer, out var mailbox) && lexer.Space() && StatusItems(ref lexer, out var items)
            ? new StatusCommand(tag, mailbox, items)
            : null;

    /// <summary>A list of status-atts; one named twice counts once.</summary>
    public static bool StatusItems(ref ImapLexer lexer, out ImmutableArray<StatusItem> items)
    {
        if (!ItemList.Read<StatusItem>(ref lexer, StatusItemNamed, ImapCommandParser.MaxListItems, out items)) return false;
        items = [.. items.Distinct()];
        return true;
    }

    private static bool StatusItemNamed(ref ImapLexer lexer, out StatusItem item)
    {
        var word = lexer.Word();
        foreach (var (name, known) in StatusNames)
        {
            item = known;
            if (Ascii.EqualsIgnoreCase(word, name)) return true;
        }
        item = default;
        return lexer.Fail("Unknown status item");
    }
}
