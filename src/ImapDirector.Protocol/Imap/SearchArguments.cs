using System.Collections.Immutable;
using System.Text;
using System.Text.Unicode;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of SEARCH. Recursive only where the grammar nests, and there every level is counted (limits N3).</summary>
internal struct SearchArguments
{
    private static readonly AllKey AllMessages = new();
    private static readonly RecentKey IsRecent = new(Recent: true);
    private static readonly RecentKey IsOld = new(Recent: false);
    private static readonly AndKey IsNew = new([IsRecent, new FlagKey(SystemFlags.Seen, Present: false)]);

    // What SEARCH calls the system flags, and their absence.
    private static readonly (string Name, FlagKey Key)[] FlagKeys =
    [
        ("SEEN", new FlagKey(SystemFlags.Seen, Present: true)),
        ("UNSEEN", new FlagKey(SystemFlags.Seen, Present: false)),
        ("ANSWERED", new FlagKey(SystemFlags.Answered, Present: true)),
        ("UNANSWERED", new FlagKey(SystemFlags.Answered, Present: false)),
        ("FLAGGED", new FlagKey(SystemFlags.Flagged, Present: true)),
        ("UNFLAGGED", new FlagKey(SystemFlags.Flagged, Present: false)),
        ("DELETED", new FlagKey(SystemFlags.Deleted, Present: true)),
        ("UNDELETED", new FlagKey(SystemFlags.Deleted, Present: false)),
        ("DRAFT", new FlagKey(SystemFlags.Draft, Present: true)),
        ("UNDRAFT", new FlagKey(SystemFlags.Draft, Present: false)),
    ];

    private const int MaxKeyLength = 20;

    private int _keys;

    public static SearchCommand? Search(ref ImapLexer lexer, string tag, bool byUid)
    {
        SearchReturn? result = null;
        if (lexer.TryWord(" RETURN"u8) && !(lexer.Space() && SearchReturnArguments.Read(ref lexer, out result))) return null;
        if (!lexer.Space() || !Charset(ref lexer, out var charset)) return null;
        return Criteria(ref lexer, out var key) && SearchReturnArguments.MayScore(ref lexer, result?.Items.HasFlag(SearchReturnItems.Relevancy) ?? false, key)
            ? new SearchCommand(tag, byUid, charset, key) { Return = result }
            : null;
    }

    /// <summary><c>CANCELUPDATE "tag" "tag" …</c>.</summary>
    public static CancelUpdateCommand? CancelUpdate(ref ImapLexer lexer, string tag)
    {
        var tags = ImmutableArray.CreateBuilder<string>();
        do
        {
            if (!lexer.Space() || !lexer.String(out var cancelled)) return null;
            if (tags.Count == ImapCommandParser.MaxListItems)
            {
                lexer.Fail("Too many tags");
                return null;
            }
            tags.Add(Encoding.UTF8.GetString(cancelled));
        }
        while (lexer.Peek == ' ');
        return new CancelUpdateCommand(tag, tags.DrainToImmutable());
    }

    /// <summary><c>UIDBATCHES size [first:last]</c>.</summary>
    public static UidBatchesCommand? UidBatches(ref ImapLexer lexer, string tag)
    {
        if (!lexer.Space() || !lexer.NonZero(out var size)) return null;
        if (!lexer.TryNext()) return new UidBatchesCommand(tag, size, null);
        return lexer.NonZero(out var first) && lexer.Take(':') && lexer.NonZero(out var last) ? new UidBatchesCommand(tag, size, new SequenceRange(first, last)) : null;
    }

    /// <summary>All keys of a command, up to the end of its line.</summary>
    public static bool Criteria(ref ImapLexer lexer, out SearchKey key)
    {
        var arguments = new SearchArguments();
        return arguments.Keys(ref lexer, out key);
    }

    private static bool Charset(ref ImapLexer lexer, out string? charset)
    {
        charset = null;
        if (!lexer.TryWord("CHARSET"u8)) return true;
        return lexer.Space() && CharsetName(ref lexer, out charset) && lexer.Space();
    }

    /// <summary>The name of a charset that is known here.</summary>
    public static bool CharsetName(ref ImapLexer lexer, out string? charset)
    {
        charset = null;
        if (!lexer.AString(out var name)) return false;
        if (Ascii.EqualsIgnoreCase(name, "UTF-8"u8)) charset = "UTF-8";
        else if (Ascii.EqualsIgnoreCase(name, "US-ASCII"u8)) charset = "US-ASCII";
        else return lexer.Fail("The charset is not known", ParseErrorKind.BadCharset);
        return true;
    }

    /// <summary>One key or several, up to the end of the list or the line.</summary>
    private bool Keys(ref ImapLexer lexer, out SearchKey key)
    {
        if (!Key(ref lexer, out key)) return false;
        if (!lexer.TryNext()) return true;
        var keys = ImmutableArray.CreateBuilder<SearchKey>();
        keys.Add(key);
        do
        {
            if (!Key(ref lexer, out key)) return false;
            keys.Add(key);
        }
        while (lexer.TryNext());
        key = new AndKey(keys.DrainToImmutable());
        return true;
    }

    private bool Key(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (++_keys > ImapCommandParser.MaxListItems) return lexer.Fail("Too many search keys");
        if (lexer.Peek == '(') return lexer.Open() && Keys(ref lexer, out key) && lexer.Close();
        if (lexer.Peek is (byte)'*' or (byte)'$' || char.IsAsciiDigit((char)lexer.Peek))
        {
            if (!lexer.SequenceSet(out var messages)) return false;
            key = new SequenceKey(messages);
            return true;
        }
        Span<char> name = stackalloc char[MaxKeyLength];
        var word = lexer.Word();
        if (word.Length is 0 or > MaxKeyLength) return lexer.Fail("Unknown search key");
        Ascii.ToUpper(word, name, out var length);
        return Named(ref lexer, name[..length], out key);
    }

    private bool Named(ref ImapLexer lexer, scoped ReadOnlySpan<char> name, out SearchKey key)
    {
        key = AllMessages;
        switch (name)
        {
            case "ALL": return true;
            case "RECENT": key = IsRecent; return true;
            case "OLD": key = IsOld; return true;
            case "NEW": key = IsNew; return true;
            case "NOT": return Not(ref lexer, out key);
            case "OR": return Or(ref lexer, out key);
            case "FUZZY": return Fuzzy(ref lexer, out key);
            case "UID": return Uid(ref lexer, out key);
            case "KEYWORD": return KeywordOf(ref lexer, present: true, out key);
            case "UNKEYWORD": return KeywordOf(ref lexer, present: false, out key);
            case "HEADER": return Header(ref lexer, out key);
            case "BCC": return Field(ref lexer, "Bcc", out key);
            case "CC": return Field(ref lexer, "Cc", out key);
            case "FROM": return Field(ref lexer, "From", out key);
            case "SUBJECT": return Field(ref lexer, "Subject", out key);
            case "TO": return Field(ref lexer, "To", out key);
            case "BODY": return TextOf(ref lexer, includeHeader: false, out key);
            case "TEXT": return TextOf(ref lexer, includeHeader: true, out key);
            case "LARGER": return Size(ref lexer, larger: true, out key);
            case "SMALLER": return Size(ref lexer, larger: false, out key);
            case "BEFORE": return Date(ref lexer, DateKind.Internal, DateComparison.Before, out key);
            case "ON": return Date(ref lexer, DateKind.Internal, DateComparison.On, out key);
            case "SINCE": return Date(ref lexer, DateKind.Internal, DateComparison.Since, out key);
            case "SENTBEFORE": return Date(ref lexer, DateKind.Sent, DateComparison.Before, out key);
            case "SENTON": return Date(ref lexer, DateKind.Sent, DateComparison.On, out key);
            case "MODSEQ": return ModSeq(ref lexer, out key);
            case "YOUNGER": return Age(ref lexer, younger: true, out key);
            case "OLDER": return Age(ref lexer, younger: false, out key);
            case "EMAILID": return EmailId(ref lexer, out key);
            case "THREADID": return ThreadId(ref lexer, out key);
            case "SAVEDBEFORE": return Date(ref lexer, DateKind.Saved, DateComparison.Before, out key);
            case "SAVEDON": return Date(ref lexer, DateKind.Saved, DateComparison.On, out key);
            case "SAVEDSINCE": return Date(ref lexer, DateKind.Saved, DateComparison.Since, out key);
            case "SAVEDATESUPPORTED": return true;
            case "SENTSINCE": return Date(ref lexer, DateKind.Sent, DateComparison.Since, out key);
        }
        foreach (var (known, flag) in FlagKeys)
        {
            if (!name.SequenceEqual(known)) continue;
            key = flag;
            return true;
        }
        return lexer.Fail("Unknown search key");
    }

    private bool Not(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Deeper() || !lexer.Space() || !Key(ref lexer, out var negated)) return false;
        lexer.Shallower();
        key = new NotKey(negated);
        return true;
    }

    private bool Fuzzy(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Deeper() || !lexer.Space() || !Key(ref lexer, out var loose)) return false;
        lexer.Shallower();
        key = new FuzzyKey(loose);
        return true;
    }

    private bool Or(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Deeper() || !lexer.Space() || !Key(ref lexer, out var left)) return false;
        if (!lexer.Space() || !Key(ref lexer, out var right)) return false;
        lexer.Shallower();
        key = new OrKey(left, right);
        return true;
    }

    private static bool Uid(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !lexer.SequenceSet(out var uids)) return false;
        key = new UidKey(uids);
        return true;
    }

    private static bool KeywordOf(ref ImapLexer lexer, bool present, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !MessageArguments.Keyword(ref lexer, out var keyword)) return false;
        key = new KeywordKey(Encoding.ASCII.GetString(keyword), present);
        return true;
    }

    private static bool Header(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        return lexer.Space() && FetchArguments.FieldName(ref lexer, out var field) && Field(ref lexer, field, out key);
    }

    private static bool Field(ref ImapLexer lexer, string field, out SearchKey key)
    {
        key = AllMessages;
        if (!Text(ref lexer, out var text)) return false;
        key = new HeaderKey(field, text);
        return true;
    }

    private static bool TextOf(ref ImapLexer lexer, bool includeHeader, out SearchKey key)
    {
        key = AllMessages;
        if (!Text(ref lexer, out var text)) return false;
        key = new TextKey(includeHeader, text);
        return true;
    }

    /// <summary>A string to search for: UTF-8, whatever charset of the two was named, since US-ASCII is a part of it and clients mix them up.</summary>
    private static bool Text(ref ImapLexer lexer, out string text)
    {
        text = "";
        if (!lexer.Space() || !lexer.AString(out var bytes)) return false;
        if (!Utf8.IsValid(bytes)) return lexer.Fail("A string is not in the charset");
        text = Encoding.UTF8.GetString(bytes);
        return true;
    }

    private static bool ModSeq(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space()) return false;
        if (lexer.Peek == '"')
        {
            if (!lexer.String(out var entry) || !lexer.Space()) return false;
            if (entry.Length < 8 || !Ascii.EqualsIgnoreCase(entry[..7], "/flags/"u8)) return lexer.Fail("Unknown entry");
            if (!lexer.TryWord("priv"u8) && !lexer.TryWord("shared"u8) && !lexer.TryWord("all"u8)) return lexer.Fail("Unknown entry type");
            if (!lexer.Space()) return false;
        }
        if (!lexer.ModSeq(out var modSeq)) return false;
        key = new ModSeqKey(modSeq);
        return true;
    }

    private static bool Size(ref ImapLexer lexer, bool larger, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !lexer.Number(out var bytes)) return false;
        key = new SizeKey(larger, bytes);
        return true;
    }

    private static bool Age(ref ImapLexer lexer, bool younger, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !lexer.NonZero(out var seconds)) return false;
        key = new AgeKey(younger, seconds);
        return true;
    }

    private static bool EmailId(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !lexer.Atom(out var id)) return false;
        key = new EmailIdKey(Encoding.ASCII.GetString(id));
        return true;
    }

    private static bool ThreadId(ref ImapLexer lexer, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !lexer.Atom(out var id)) return false;
        key = new ThreadIdKey(Encoding.ASCII.GetString(id));
        return true;
    }

    private static bool Date(ref ImapLexer lexer, DateKind kind, DateComparison comparison, out SearchKey key)
    {
        key = AllMessages;
        if (!lexer.Space() || !DateArguments.Date(ref lexer, out var date)) return false;
        key = new DateKey(kind, comparison, date);
        return true;
    }
}
