using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of LIST (RFC 3501, extended by RFC 5258, RFC 5819 and RFC 6154) and LSUB.</summary>
internal static class ListArguments
{
    private const int MaxPatterns = 100;

    public static ListCommand? List(ref ImapLexer lexer, string tag)
    {
        var select = ListSelect.None;
        var result = ListReturn.None;
        var items = ImmutableArray<StatusItem>.Empty;
        var entries = ImmutableArray<string>.Empty;
        if (!lexer.Space()) return null;
        var extended = lexer.Peek == '(';
        if (extended && !(SelectOptions(ref lexer, out select) && lexer.Space())) return null;
        if (!Reference(ref lexer, out var reference) || !lexer.Space()) return null;

        ImmutableArray<string> patterns;
        if (lexer.Peek == '(')
        {
            extended = true;
            if (!ItemList.Read<string>(ref lexer, Pattern, MaxPatterns, out patterns)) return null;
        }
        else
        {
            if (!Pattern(ref lexer, out var pattern)) return null;
            patterns = [pattern];
        }

        if (lexer.TryWord(" RETURN"u8))
        {
            extended = true;
            if (!lexer.Space() || !ReturnOptions(ref lexer, out result, out items, out entries)) return null;
        }
        return new ListCommand(tag, reference, patterns, select, result, items, extended) { MetadataEntries = entries };
    }

    public static LsubCommand? Lsub(ref ImapLexer lexer, string tag) =>
        lexer.Space() && Reference(ref lexer, out var reference) && lexer.Space() && Pattern(ref lexer, out var pattern)
            ? new LsubCommand(tag, reference, pattern)
            : null;

    private static bool SelectOptions(ref ImapLexer lexer, out ListSelect select)
    {
        select = ListSelect.None;
        if (!lexer.Open()) return false;
        for (var first = true; lexer.Peek != ')'; first = false)
        {
            if (!first && !lexer.Space()) return false;
            if (lexer.TryWord("SUBSCRIBED"u8)) select |= ListSelect.Subscribed;
            else if (lexer.TryWord("REMOTE"u8)) select |= ListSelect.Remote;
            else if (lexer.TryWord("RECURSIVEMATCH"u8)) select |= ListSelect.RecursiveMatch;
            else if (lexer.TryWord("SPECIAL-USE"u8)) select |= ListSelect.SpecialUse;
            else return lexer.Fail("Unknown selection option");
        }
        // RFC 5258 section 3.1: it modifies another option, and REMOTE is none that it could.
        if ((select & ~ListSelect.Remote) == ListSelect.RecursiveMatch) return lexer.Fail("RECURSIVEMATCH needs another selection option");
        return lexer.Close();
    }

    private static bool ReturnOptions(ref ImapLexer lexer, out ListReturn result, out ImmutableArray<StatusItem> items,
        out ImmutableArray<string> entries)
    {
        result = ListReturn.None;
        items = [];
        entries = [];
        if (!lexer.Open()) return false;
        for (var first = true; lexer.Peek != ')'; first = false)
        {
            if (!first && !lexer.Space()) return false;
            if (lexer.TryWord("SUBSCRIBED"u8)) result |= ListReturn.Subscribed;
            else if (lexer.TryWord("CHILDREN"u8)) result |= ListReturn.Children;
            else if (lexer.TryWord("SPECIAL-USE"u8)) result |= ListReturn.SpecialUse;
            else if (lexer.TryWord("MYRIGHTS"u8)) result |= ListReturn.MyRights;
            else if ((result & ListReturn.Status) == 0 && lexer.TryWord("STATUS"u8))
            {
                result |= ListReturn.Status;
                if (!lexer.Space() || !MailboxArguments.StatusItems(ref lexer, out items)) return false;
            }
            else if ((result & ListReturn.Metadata) == 0 && lexer.TryWord("METADATA"u8))
            {
                result |= ListReturn.Metadata;
                if (!lexer.Space() || !MetadataArguments.Names(ref lexer, out entries)) return false;
            }
            else return lexer.Fail("Unknown return option");
        }
        return lexer.Close();
    }

    private static bool Reference(ref ImapLexer lexer, out string reference)
    {
        reference = "";
        return lexer.AString(out var wire) && Decode(ref lexer, wire, out reference);
    }

    private static bool Pattern(ref ImapLexer lexer, out string pattern)
    {
        pattern = "";
        return lexer.ListMailbox(out var wire) && Decode(ref lexer, wire, out pattern);
    }

    private static bool Decode(ref ImapLexer lexer, ReadOnlySpan<byte> wire, out string text)
    {
        if (!MailboxName.TryDecodeText(wire, lexer.Utf8Names, out text) || !MailboxName.IsClean(text) || Encoding.UTF8.GetByteCount(text) > MailboxName.MaxBytes)
            return lexer.Fail("The pattern is not valid", ParseErrorKind.Refused);
        text = NetUnicode.Compose(text);
        return true;
    }
}
