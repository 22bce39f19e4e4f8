using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of FETCH.</summary>
internal static class FetchArguments
{
    /// <summary>No message nests deeper (limits N6), so no section is longer.</summary>
    private const int MaxSectionNumbers = 100;

    private const int MaxFieldNameBytes = 1000;

    // Items without arguments are made once: a list of them costs its references alone.
    private static readonly (string Name, FetchItem Item)[] PlainItems =
    [
        ("UID", new FetchItem(FetchItemKind.Uid)),
        ("FLAGS", new FetchItem(FetchItemKind.Flags)),
        ("INTERNALDATE", new FetchItem(FetchItemKind.InternalDate)),
        ("RFC822.SIZE", new FetchItem(FetchItemKind.Rfc822Size)),
        ("ENVELOPE", new FetchItem(FetchItemKind.Envelope)),
        ("BODY", new FetchItem(FetchItemKind.Body)),
        ("BODYSTRUCTURE", new FetchItem(FetchItemKind.BodyStructure)),
        ("RFC822", new FetchItem(FetchItemKind.Rfc822)),
        ("RFC822.HEADER", new FetchItem(FetchItemKind.Rfc822Header)),
        ("RFC822.TEXT", new FetchItem(FetchItemKind.Rfc822Text)),
        ("MODSEQ", new FetchItem(FetchItemKind.ModSeq)),
        ("EMAILID", new FetchItem(FetchItemKind.EmailId)),
        ("THREADID", new FetchItem(FetchItemKind.ThreadId)),
        ("SAVEDATE", new FetchItem(FetchItemKind.SaveDate)),
        ("PREVIEW", new FetchItem(FetchItemKind.Preview)),
    ];

    // RFC 3501 section 6.4.5.
    private static readonly ImmutableArray<FetchItem> Fast = [Plain("FLAGS"), Plain("INTERNALDATE"), Plain("RFC822.SIZE")];
    private static readonly ImmutableArray<FetchItem> All = [.. Fast, Plain("ENVELOPE")];
    private static readonly ImmutableArray<FetchItem> Full = [.. All, Plain("BODY")];

    public static FetchCommand? Fetch(ref ImapLexer lexer, string tag, bool byUid)
    {
        if (!lexer.Space() || !lexer.SequenceSet(out var messages) || !lexer.Space()) return null;
        ImmutableArray<FetchItem> items;
        if (lexer.TryWord("ALL"u8)) items = All;
        else if (lexer.TryWord("FAST"u8)) items = Fast;
        else if (lexer.TryWord("FULL"u8)) items = Full;
        else if (lexer.Peek == '(')
        {
            if (!ItemList.Read<FetchItem>(ref lexer, Item, ImapCommandParser.MaxListItems, out items)) return null;
        }
        else
        {
            if (!Item(ref lexer, out var item)) return null;
            items = [item];
        }
        var fetch = new FetchCommand(tag, byUid, messages, items);
        return lexer.TryNext() ? Modified(ref lexer, fetch) : fetch;
    }

    /// <summary>The items of a list whose <c>(</c> has been taken.</summary>
    public static bool ListBehindParenthesis(ref ImapLexer lexer, out ImmutableArray<FetchItem> items) =>
        ItemList.ReadBehindParenthesis<FetchItem>(ref lexer, Item, ImapCommandParser.MaxListItems, out items);

    /// <summary>The modifiers behind the items (RFC 4466 section 2.3, RFC 7162 section 3.1.4.1).</summary>
    private static FetchCommand? Modified(ref ImapLexer lexer, FetchCommand fetch)
    {
        if (!lexer.Open()) return null;
        do
        {
            if (fetch.ChangedSince is null && lexer.TryWord("CHANGEDSINCE"u8))
            {
                if (!lexer.Space() || !lexer.ModSeq(out var modSeq)) return null;
                fetch = fetch with { ChangedSince = modSeq };
            }
            else if (fetch.Partial is null && lexer.TryWord("PARTIAL"u8))
            {
                if (!lexer.Space() || !SearchReturnArguments.Window(ref lexer, out var window)) return null;
                fetch = fetch with { Partial = window };
            }
            else if (lexer.TryWord("VANISHED"u8))
            {
                fetch = fetch with { Vanished = true };
            }
            else
            {
                lexer.Fail("Unknown modifier");
                return null;
            }
        }
        while (lexer.TryNext());
        if (fetch.Vanished && (fetch.ChangedSince is null || !fetch.ByUid)) lexer.Fail("VANISHED needs UID FETCH and CHANGEDSINCE");
        return lexer.ErrorReason is null && lexer.Close() ? fetch : null;
    }

    private static bool Item(ref ImapLexer lexer, out FetchItem item)
    {
        item = null!;
        var name = lexer.Word();
        if (lexer.Peek == '[')
        {
            if (TryBinary(name, out var binary, out var peek)) return Binary(ref lexer, binary, peek, out item);
            peek = Ascii.EqualsIgnoreCase(name, "BODY.PEEK"u8);
            if (!peek && !Ascii.EqualsIgnoreCase(name, "BODY"u8)) return lexer.Fail("Unknown data item");
            if (!Section(ref lexer, out var section) || !Partial(ref lexer, out var partial)) return false;
            item = new FetchItem(FetchItemKind.BodySection, section, peek, partial);
            return true;
        }
        foreach (var (known, plain) in PlainItems)
        {
            if (!Ascii.EqualsIgnoreCase(name, known)) continue;
            item = plain;
            return plain.Kind != FetchItemKind.Preview || PreviewModifier(ref lexer);
        }
        return lexer.Fail("Unknown data item");
    }

    private static bool TryBinary(ReadOnlySpan<byte> name, out FetchItemKind kind, out bool peek)
    {
        peek = Ascii.EqualsIgnoreCase(name, "BINARY.PEEK"u8);
        kind = Ascii.EqualsIgnoreCase(name, "BINARY.SIZE"u8) ? FetchItemKind.BinarySize : FetchItemKind.Binary;
        return peek || kind == FetchItemKind.BinarySize || Ascii.EqualsIgnoreCase(name, "BINARY"u8);
    }

    private static bool Binary(ref ImapLexer lexer, FetchItemKind kind, bool peek, out FetchItem item)
    {
        item = null!;
        if (!lexer.Take('[') || !Part(ref lexer, out var part, out var more)) return false;
        if (more) return lexer.Fail("BINARY takes part numbers alone");
        if (!lexer.Take(']')) return false;
        PartialRange? partial = null;
        if (kind == FetchItemKind.Binary && !Partial(ref lexer, out partial)) return false;
        item = new FetchItem(kind, new BodySection(part, SectionText.All, []), peek || kind == FetchItemKind.BinarySize, partial);
        return true;
    }

    /// <summary>The modifier LAZY (RFC 8970 section 3.1): previews are made so quickly here that it makes no difference.</summary>
    private static bool PreviewModifier(ref ImapLexer lexer) =>
        !lexer.TryLetters(" (LAZY"u8) || lexer.Take(')');

    /// <summary><c>[section]</c>.</summary>
    public static bool Section(ref ImapLexer lexer, out BodySection section)
    {
        section = null!;
        var fields = ImmutableArray<string>.Empty;
        if (!lexer.Take('[') || !Part(ref lexer, out var part, out var more)) return false;
        var text = SectionText.All;
        if (more)
        {
            var name = lexer.Word();
            if (Ascii.EqualsIgnoreCase(name, "HEADER"u8)) text = SectionText.Header;
            else if (Ascii.EqualsIgnoreCase(name, "TEXT"u8)) text = SectionText.Text;
            else if (Ascii.EqualsIgnoreCase(name, "MIME"u8) && part.Length > 0) text = SectionText.Mime;
            else if (Ascii.EqualsIgnoreCase(name, "HEADER.FIELDS"u8)) text = SectionText.HeaderFields;
            else if (Ascii.EqualsIgnoreCase(name, "HEADER.FIELDS.NOT"u8)) text = SectionText.HeaderFieldsNot;
            else return lexer.Fail("Unknown section");
            if (text is SectionText.HeaderFields or SectionText.HeaderFieldsNot
                && !(lexer.Space() && ItemList.Read<string>(ref lexer, FieldName, ImapCommandParser.MaxListItems, out fields))) return false;
        }
        section = new BodySection(part, text, fields);
        return lexer.Take(']');
    }

    /// <summary>The part numbers; <paramref name="more"/> tells that a section-text must follow them.</summary>
    private static bool Part(ref ImapLexer lexer, out ImmutableArray<uint> part, out bool more)
    {
        part = [];
        more = lexer.Peek != ']';
        if (!char.IsAsciiDigit((char)lexer.Peek)) return true;
        var numbers = ImmutableArray.CreateBuilder<uint>();
        do
        {
            if (numbers.Count == MaxSectionNumbers) return lexer.Fail("The section is too long");
            if (!lexer.NonZero(out var number)) return false;
            numbers.Add(number);
            more = lexer.TryTake('.');
        }
        while (more && char.IsAsciiDigit((char)lexer.Peek));
        part = numbers.DrainToImmutable();
        return true;
    }

    /// <summary>A header field's name: any printable ASCII, as the name of no field at all harms nobody.</summary>
    public static bool FieldName(ref ImapLexer lexer, out string name)
    {
        name = "";
        if (!lexer.AString(out var bytes)) return false;
        if (bytes.Length > MaxFieldNameBytes) return lexer.Fail("A field name is too long");
        foreach (var value in bytes)
            if (!Grammar.IsPrintable(value)) return lexer.Fail("A field name has a character that is not allowed");
        name = Encoding.ASCII.GetString(bytes);
        return true;
    }

    private static bool Partial(ref ImapLexer lexer, out PartialRange? partial)
    {
        partial = null;
        if (!lexer.TryTake('<')) return true;
        if (!lexer.Number(out var offset) || !lexer.Take('.') || !lexer.NonZero(out var length)) return false;
        partial = new PartialRange(offset, length);
        return lexer.Take('>');
    }

    private static FetchItem Plain(string name) => Array.Find(PlainItems, known => known.Name == name).Item;
}
