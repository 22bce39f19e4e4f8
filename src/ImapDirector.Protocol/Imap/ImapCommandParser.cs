using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>Parses one framed command. Total: any bytes give a command or a <see cref="ParseError"/>, never an exception.</summary>
public static class ImapCommandParser
{
    /// <summary>The most items of any list (search keys, FETCH items, field names …) in one command, so that what a command becomes costs
    /// no more than 16 times its bytes and 64 KiB. No client comes near it.</summary>
    internal const int MaxListItems = 500;

    /// <summary>Parses <paramref name="frame"/>, one command with its literals in place (as <see cref="ImapCommandReader"/> frames
    /// it), ending with CRLF; an APPEND ends with the CRLF behind the header of its first literal behind the mailbox.</summary>
    public static bool TryParse(in ReadOnlySequence<byte> frame, in ParseOptions options,
        [NotNullWhen(true)] out ImapCommand? command, out ParseError error)
    {
        var lexer = new ImapLexer(frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray(), options);
        command = null;
        if (lexer.Tag(out var tag) && (lexer.TryTake(' ') || lexer.Fail("The command is missing")))
        {
            command = Command(ref lexer, tag!);
            // The frame of APPEND and REPLACE may end with a literal's header, every other one ends with an empty rest of the line.
            if (command is not (null or AppendCommand or ReplaceCommand) && !lexer.End()) command = null;
        }
        error = command is null ? new ParseError(lexer.ErrorKind, tag, lexer.ErrorReason ?? "Syntax error") : default;
        return command is not null;
    }

    /// <summary>Parses what follows a literal of APPEND or REPLACE, as <see cref="ImapCommandReader.EndLiteralCommandAsync"/> gives it.</summary>
    /// <param name="rest">The bytes.</param>
    /// <param name="place">Where the stretch before it ended.</param>
    /// <param name="options">How names are read.</param>
    /// <param name="stretch">What is to be done.</param>
    /// <param name="error">Why not; it has no tag.</param>
    public static bool TryParseRest(in ReadOnlySequence<byte> rest, AppendPlace place, in ParseOptions options,
        [NotNullWhen(true)] out AppendStretch? stretch, out ParseError error)
    {
        var lexer = new ImapLexer(rest.IsSingleSegment ? rest.FirstSpan : rest.ToArray(), options);
        error = default;
        if (AppendArguments.Stretch(ref lexer, place, out stretch)) return true;
        stretch = null;
        error = new ParseError(lexer.ErrorKind, null, lexer.ErrorReason ?? "Syntax error");
        return false;
    }

    private static ImapCommand? Command(ref ImapLexer lexer, string tag)
    {
        Span<char> name = stackalloc char[16];
        if (!lexer.Atom(out var atom)) return null;
        if (!TryUpper(atom, ref name)) return Unknown(ref lexer);
        return name switch
        {
            "CAPABILITY" => new CapabilityCommand(tag),
            "NOOP" => new NoopCommand(tag),
            "LOGOUT" => new LogoutCommand(tag),
            "STARTTLS" => new StartTlsCommand(tag),
            "CHECK" => new CheckCommand(tag),
            "CLOSE" => new CloseCommand(tag, Expunge: true),
            "UNSELECT" => new CloseCommand(tag, Expunge: false),
            "EXPUNGE" => new ExpungeCommand(tag, Uids: null),
            "IDLE" => new IdleCommand(tag),
            "NAMESPACE" => new NamespaceCommand(tag),
            "LOGIN" => LoginArguments.Login(ref lexer, tag),
            "AUTHENTICATE" => LoginArguments.Authenticate(ref lexer, tag),
            "ID" => LoginArguments.Id(ref lexer, tag),
            "ENABLE" => LoginArguments.Enable(ref lexer, tag),
            "SELECT" => SelectArguments.Select(ref lexer, tag, readOnly: false),
            "EXAMINE" => SelectArguments.Select(ref lexer, tag, readOnly: true),
            "DELETE" => MailboxArguments.Of(ref lexer, out var mailbox) ? new DeleteCommand(tag, mailbox) : null,
            "SUBSCRIBE" => MailboxArguments.Of(ref lexer, out var mailbox) ? new SubscribeCommand(tag, mailbox, Subscribe: true) : null,
            "UNSUBSCRIBE" => MailboxArguments.Of(ref lexer, out var mailbox) ? new SubscribeCommand(tag, mailbox, Subscribe: false) : null,
            "RENAME" => MailboxArguments.Rename(ref lexer, tag),
            "CREATE" => MailboxArguments.Create(ref lexer, tag),
            "STATUS" => MailboxArguments.Status(ref lexer, tag),
            "APPEND" => AppendArguments.Append(ref lexer, tag),
            "LIST" => ListArguments.List(ref lexer, tag),
            "ESEARCH" => MailboxFilterArguments.MultiSearch(ref lexer, tag),
            "NOTIFY" => NotifyArguments.Notify(ref lexer, tag),
            "CANCELUPDATE" => SearchArguments.CancelUpdate(ref lexer, tag),
            "UIDBATCHES" => SearchArguments.UidBatches(ref lexer, tag),
            "LSUB" => ListArguments.Lsub(ref lexer, tag),
            "GETQUOTA" => lexer.Space() && lexer.AString(out var root) ? new GetQuotaCommand(tag, Encoding.UTF8.GetString(root)) : null,
            "GETQUOTAROOT" => MailboxArguments.Of(ref lexer, out var mailbox) ? new GetQuotaRootCommand(tag, mailbox) : null,
            "GETMETADATA" => MetadataArguments.Get(ref lexer, tag),
            "SETMETADATA" => MetadataArguments.Set(ref lexer, tag),
            "SETACL" => AclArguments.Set(ref lexer, tag),
            "DELETEACL" => AclArguments.Delete(ref lexer, tag),
            "LISTRIGHTS" => AclArguments.ListRights(ref lexer, tag),
            "GETACL" => MailboxArguments.Of(ref lexer, out var mailbox) ? new GetAclCommand(tag, mailbox) : null,
            "MYRIGHTS" => MailboxArguments.Of(ref lexer, out var mailbox) ? new MyRightsCommand(tag, mailbox) : null,
            "GENURLAUTH" => UrlArguments.GenUrlAuth(ref lexer, tag),
            "URLFETCH" => UrlArguments.UrlFetch(ref lexer, tag),
            "RESETKEY" => UrlArguments.ResetKey(ref lexer, tag),
            "COMPRESS" => lexer.Space() && lexer.Atom(out var mechanism) ? new CompressCommand(tag, Encoding.ASCII.GetString(mechanism).ToUpperInvariant()) : null,
            "UID" => UidCommand(ref lexer, tag),
            _ => MessageCommand(ref lexer, tag, name, byUid: false),
        };
    }

    private static ImapCommand? UidCommand(ref ImapLexer lexer, string tag)
    {
        Span<char> name = stackalloc char[16];
        if (!lexer.Space() || !lexer.Atom(out var atom)) return null;
        if (!TryUpper(atom, ref name)) return Unknown(ref lexer);
        if (name is not "EXPUNGE") return MessageCommand(ref lexer, tag, name, byUid: true);
        return lexer.Space() && lexer.SequenceSet(out var uids) ? new ExpungeCommand(tag, uids) : null;
    }

    private static ImapCommand? MessageCommand(ref ImapLexer lexer, string tag, scoped ReadOnlySpan<char> name, bool byUid) => name switch
    {
        "SEARCH" => SearchArguments.Search(ref lexer, tag, byUid),
        "REPLACE" => AppendArguments.Replace(ref lexer, tag, byUid),
        "SORT" => SortArguments.Sort(ref lexer, tag, byUid),
        "THREAD" => SortArguments.Thread(ref lexer, tag, byUid),
        "FETCH" => FetchArguments.Fetch(ref lexer, tag, byUid),
        "STORE" => MessageArguments.Store(ref lexer, tag, byUid),
        "COPY" => MessageArguments.Copy(ref lexer, tag, byUid, move: false),
        "MOVE" => MessageArguments.Copy(ref lexer, tag, byUid, move: true),
        _ => Unknown(ref lexer),
    };

    private static ImapCommand? Unknown(ref ImapLexer lexer)
    {
        lexer.Fail("Unknown command", ParseErrorKind.UnknownCommand);
        return null;
    }

    private static bool TryUpper(ReadOnlySpan<byte> atom, ref Span<char> name)
    {
        if (atom.Length > name.Length) return false;
        Ascii.ToUpper(atom, name, out var length);
        name = name[..length];
        return true;
    }
}

/// <summary>How a session reads names and how deep it lets lists go.</summary>
/// <param name="Utf8Names">Mailbox names are UTF-8 (after ENABLE IMAP4rev2 or UTF8=ACCEPT) rather than modified UTF-7.</param>
/// <param name="MaxDepth">Parentheses, NOT and OR may nest this deep (limits P5 and N3).</param>
public readonly record struct ParseOptions(bool Utf8Names, int MaxDepth)
{
    /// <summary>Before login: one list, that of ID (limits P5).</summary>
    public static readonly ParseOptions BeforeLogin = new(Utf8Names: false, MaxDepth: 1);

    /// <summary>After login, until UTF-8 is enabled (limits N3).</summary>
    public static readonly ParseOptions AfterLogin = new(Utf8Names: false, MaxDepth: 64);
}

/// <summary>Why a command could not be parsed.</summary>
/// <param name="Kind">What kind of error.</param>
/// <param name="Tag">The command's tag when it could be read, else <c>null</c> (the answer is then untagged <c>* BAD</c>).</param>
/// <param name="Reason">One short English phrase for the BAD's text; never repeats client bytes.</param>
public readonly record struct ParseError(ParseErrorKind Kind, string? Tag, string Reason);

/// <summary>The kinds of <see cref="ParseError"/>.</summary>
public enum ParseErrorKind
{
    /// <summary>Answer <c>BAD</c>.</summary>
    Syntax,
    /// <summary>The command's name is not known; answer <c>BAD</c>.</summary>
    UnknownCommand,
    /// <summary>Answer <c>NO [BADCHARSET (US-ASCII UTF-8)]</c>.</summary>
    BadCharset,
    /// <summary>A mailbox name, flag or set is over its limit or not allowed; answer <c>NO [CANNOT]</c>.</summary>
    Refused,
}
