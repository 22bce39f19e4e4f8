using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of GETMETADATA and SETMETADATA (RFC 5464 section 5).</summary>
internal static class MetadataArguments
{
    private const int MaxEntries = 100;

    /// <summary>The longest name of an entry, in bytes.</summary>
    private const int MaxNameBytes = 256;

    public static GetMetadataCommand? Get(ref ImapLexer lexer, string tag)
    {
        var depth = 0;
        uint? maxSize = null;
        if (!lexer.Space()) return null;
        if (lexer.Peek == '(' && !(Options(ref lexer, ref depth, ref maxSize) && lexer.Space())) return null;
        if (!Target(ref lexer, out var mailbox) || !lexer.Space()) return null;
        // The options of RFC 5464 came to stand in front of the mailbox; older clients put them behind it.
        if (maxSize is null && depth == 0 && StartsOptions(lexer) && !(Options(ref lexer, ref depth, ref maxSize) && lexer.Space())) return null;
        return Names(ref lexer, out var entries) ? new GetMetadataCommand(tag, mailbox, entries, depth, maxSize) : null;
    }

    public static SetMetadataCommand? Set(ref ImapLexer lexer, string tag) =>
        lexer.Space() && Target(ref lexer, out var mailbox) && lexer.Space() && ItemList.Read<KeyValuePair<string, byte[]?>>(ref lexer, Entry, MaxEntries, out var entries)
            ? new SetMetadataCommand(tag, mailbox, entries)
            : null;

    /// <summary>One name, or several in parentheses.</summary>
    public static bool Names(ref ImapLexer lexer, out ImmutableArray<string> entries)
    {
        entries = [];
        if (lexer.Peek == '(') return ItemList.Read<string>(ref lexer, AskedName, MaxEntries, out entries);
        if (!AskedName(ref lexer, out var one)) return false;
        entries = [one];
        return true;
    }

    private static bool StartsOptions(ImapLexer copy) => copy.TryTake('(') && (copy.TryWord("MAXSIZE"u8) || copy.TryWord("DEPTH"u8));

    private static bool Options(ref ImapLexer lexer, ref int depth, ref uint? maxSize)
    {
        if (!lexer.Open()) return false;
        do
        {
            if (lexer.TryWord("MAXSIZE"u8))
            {
                if (!lexer.Space() || !lexer.Number(out var size)) return false;
                maxSize = size;
            }
            else if (lexer.TryWord("DEPTH"u8))
            {
                if (!lexer.Space()) return false;
                if (lexer.TryWord("infinity"u8)) depth = int.MaxValue;
                else if (lexer.TryWord("0"u8)) depth = 0;
                else if (lexer.TryWord("1"u8)) depth = 1;
                else return lexer.Fail("Unknown depth");
            }
            else
            {
                return lexer.Fail("Unknown option");
            }
        }
        while (lexer.TryNext());
        return lexer.Close();
    }

    private static bool Target(ref ImapLexer lexer, out MailboxName? mailbox)
    {
        mailbox = null;
        if (lexer.TryLetters("\"\""u8)) return true;
        if (!lexer.Mailbox(out var name)) return false;
        mailbox = name;
        return true;
    }

    private static bool Entry(ref ImapLexer lexer, out KeyValuePair<string, byte[]?> entry)
    {
        entry = default;
        if (!EntryName(ref lexer, out var name) || !lexer.Space()) return false;
        byte[]? value = null;
        if (!lexer.TryWord("NIL"u8))
        {
            if (!lexer.String(out var bytes)) return false;
            value = bytes.ToArray();
        }
        entry = new(name, value);
        return true;
    }

    /// <summary>The name of an entry, and not of all that is private or shared.</summary>
    private static bool EntryName(ref ImapLexer lexer, out string name) =>
        AskedName(ref lexer, out name) && (name is not ("/private" or "/shared") || lexer.Fail("An entry's name is not valid"));

    /// <summary>/private, /shared or a name under one of them, without wild cards, empty levels and anything but printable ASCII (RFC 5464 section 3.2).</summary>
    private static bool AskedName(ref ImapLexer lexer, out string name)
    {
        name = "";
        if (!lexer.AString(out var bytes)) return false;
        foreach (var octet in bytes)
            if (!Grammar.IsPrintable(octet) || octet is (byte)'*' or (byte)'%') return lexer.Fail("An entry's name has a character that is not allowed");
        name = Encoding.ASCII.GetString(bytes).ToLowerInvariant();
        var isNamed = name is "/private" or "/shared" || name.StartsWith("/private/", StringComparison.Ordinal) || name.StartsWith("/shared/", StringComparison.Ordinal);
        if (!isNamed || name.EndsWith('/') || name.Contains("//", StringComparison.Ordinal)) return lexer.Fail("An entry's name is not valid");
        return bytes.Length <= MaxNameBytes || lexer.Fail("An entry's name is too long", ParseErrorKind.Refused);
    }
}
