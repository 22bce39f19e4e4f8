using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class ImapCommandParserTests
{
    private static readonly MailboxName Inbox = MailboxName.Inbox;

    private static bool Parse(string text, out ImapCommand? command, out ParseError error, bool utf8 = false) =>
        ImapCommandParser.TryParse(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(text)), new ParseOptions(utf8, 64), out command, out error);

    private static AppendCommand Append(FlagList flags, DateTimeOffset? date, AppendPlace place, params AppendStep[] parts) =>
        new("a", new MailboxName("x"), new AppendStretch([new StartOfMessage(flags, date), .. parts], place));

    private static LiteralStep Literal(long length, bool synchronizing, bool binary) => new(new LiteralHeader(length, synchronizing, binary), LiteralUse.Content);

    private static SequenceSet Set(params (uint First, uint Last)[] ranges) => new([.. ranges.Select(r => new SequenceRange(r.First, r.Last))]);

    private static FetchItem Plain(FetchItemKind kind) => new(kind);

    private static FetchItem Body(ImmutableArray<uint> part, SectionText text, bool peek = false, PartialRange? partial = null, params string[] fields) =>
        new(FetchItemKind.BodySection, new BodySection(part, text, [.. fields]), peek, partial);

    public static TheoryData<string, ImapCommand> Commands()
    {
        var one = Set((1, 1));
        return new()
        {
            { "a noop\r\n", new NoopCommand("a") },
            { "a NOOP  \r\n", new NoopCommand("a") },
            { "A.1] Capability\r\n", new CapabilityCommand("A.1]") },
            { "a unselect\r\n", new CloseCommand("a", Expunge: false) },
            { "a login joe \"se\\\"cr\\\\et\"\r\n", new LoginCommand("a", "joe"u8.ToArray(), "se\"cr\\et"u8.ToArray()) },
            { "a LOGIN {3}\r\njoe {2+}\r\n\r\n\r\n", new LoginCommand("a", "joe"u8.ToArray(), "\r\n"u8.ToArray()) },
            { "a LOGIN \"\" \"\u00c3\u00a9\"\r\n", new LoginCommand("a", [], [0xC3, 0xA9]) },
            { "a LOGIN \"\" {1+}\r\n\u00e9\r\n", new LoginCommand("a", [], [0xE9]) },
            { "a LOGIN \"\" \"\u0001\t\u001b\u007f\"\r\n", new LoginCommand("a", [], [1, 9, 27, 127]) },
            { "a AUTHENTICATE plain\r\n", new AuthenticateCommand("a", "PLAIN", null) },
            { "a AUTHENTICATE SCRAM-SHA-256 =\r\n", new AuthenticateCommand("a", "SCRAM-SHA-256", "="u8.ToArray()) },
            { "a authenticate PLAIN AGpvZQBwdw==\r\n", new AuthenticateCommand("a", "PLAIN", "AGpvZQBwdw=="u8.ToArray()) },
            { "a ID nil\r\n", new IdCommand("a", []) },
            { "a ID ()\r\n", new IdCommand("a", []) },
            { "a ID (\"name\" \"x\" \"os\" NIL \"v\" \"nil\")\r\n", new IdCommand("a", [new("name", "x"), new("os", null), new("v", "nil")]) },
            { "a ENABLE imap4rev2 utf8=accept\r\n", new EnableCommand("a", ["IMAP4REV2", "UTF8=ACCEPT"]) },
            { "a select inbox\r\n", new SelectCommand("a", Inbox, ReadOnly: false) },
            { "a EXAMINE {5+}\r\ninbox\r\n", new SelectCommand("a", Inbox, ReadOnly: true) },
            { "a SELECT Entw&APw-rfe\r\n", new SelectCommand("a", new MailboxName("Entw\u00fcrfe"), ReadOnly: false) },
            { "a CREATE \"a b/\"\r\n", new CreateCommand("a", new MailboxName("a b"), []) },
            { "a CREATE x (use (\\sent \\Other))\r\n", new CreateCommand("a", new MailboxName("x"), [@"\Sent", @"\Other"]) },
            { "a CREATE x (USE ())\r\n", new CreateCommand("a", new MailboxName("x"), []) },
            { "a RENAME x]y \"y\"\r\n", new RenameCommand("a", new MailboxName("x]y"), new MailboxName("y")) },
            { "a LIST \"\" *\r\n", new ListCommand("a", "", ["*"], ListSelect.None, ListReturn.None, [], Extended: false) },
            { "a LIST \"\" \"\"\r\n", new ListCommand("a", "", [""], ListSelect.None, ListReturn.None, [], Extended: false) },
            { "a LIST INBOX/ &APw-%/]\r\n", new ListCommand("a", "INBOX/", ["\u00fc%/]"], ListSelect.None, ListReturn.None, [], Extended: false) },
            { "a LIST () \"\" (a \"b\") RETURN ()\r\n", new ListCommand("a", "", ["a", "b"], ListSelect.None, ListReturn.None, [], Extended: true) },
            { "a LIST (subscribed RECURSIVEMATCH) \"\" % RETURN (CHILDREN STATUS (MESSAGES size) Special-Use)\r\n",
                new ListCommand("a", "", ["%"], ListSelect.Subscribed | ListSelect.RecursiveMatch,
                    ListReturn.Children | ListReturn.Status | ListReturn.SpecialUse, [StatusItem.Messages, StatusItem.Size], Extended: true) },
            { "a LSUB \"\" %\r\n", new LsubCommand("a", "", "%") },
            { "a STATUS x (UNSEEN messages UNSEEN)\r\n", new StatusCommand("a", new MailboxName("x"), [StatusItem.Unseen, StatusItem.Messages]) },
            { "a APPEND x {10}\r\n", Append(FlagList.Empty, null, AppendPlace.BehindMessage, Literal(10, true, false)) },
            { "a APPEND {1+}\r\nx () {0+}\r\n", Append(FlagList.Empty, null, AppendPlace.BehindMessage, Literal(0, false, false)) },
            { "a APPEND x (\\seen $A $a b) \" 7-jul-1996 02:44:25 -0700\" ~{10}\r\n", Append(new FlagList(SystemFlags.Seen, ["$A", "b"]),
                new DateTimeOffset(1996, 7, 7, 2, 44, 25, TimeSpan.FromHours(-7)), AppendPlace.BehindMessage, Literal(10, true, true)) },
            { "a APPEND x \"17-Jul-1996 23:59:60 +9959\" {1}\r\n", Append(FlagList.Empty,
                new DateTimeOffset(1996, 7, 13, 20, 0, 59, TimeSpan.Zero), AppendPlace.BehindMessage, Literal(1, true, false)) },
            { "a APPEND x UTF8 (~{1}\r\n", Append(FlagList.Empty, null, AppendPlace.InUtf8, Literal(1, true, true)) },
            { "a APPEND x catenate (url /a/;uid=1 URL \"/b\" TEXT {1}\r\n", Append(FlagList.Empty, null, AppendPlace.BehindPart,
                new UrlStep("/a/;uid=1"), new UrlStep("/b"), Literal(1, true, false)) },
            { "a APPEND x CATENATE (UTF8 (~{1}\r\n", Append(FlagList.Empty, null, AppendPlace.InUtf8Part, Literal(1, true, true)) },
            { "a APPEND x CATENATE (URL {9}\r\n", Append(FlagList.Empty, null, AppendPlace.BehindPart, new LiteralStep(new LiteralHeader(9, true, false), LiteralUse.Url)) },
            { "a APPEND x CATENATE (URL a) () CATENATE (URL b)\r\n", new AppendCommand("a", new MailboxName("x"), new AppendStretch([new StartOfMessage(FlagList.Empty, null),
                new UrlStep("a"), new EndOfMessage(), new StartOfMessage(FlagList.Empty, null), new UrlStep("b"), new EndOfMessage()], AppendPlace.Complete)) },
            { "a UID expunge 1:*,7\r\n", new ExpungeCommand("a", Set((1, SequenceSet.Star), (7, 7))) },
            { "a EXPUNGE\r\n", new ExpungeCommand("a", null) },
            { "a SEARCH ALL \r\n", new SearchCommand("a", false, null, new AllKey()) },
            { "a UID SEARCH 2:4 *\r\n", new SearchCommand("a", true, null, new AndKey([new SequenceKey(Set((2, 4))), new SequenceKey(Set((SequenceSet.Star, SequenceSet.Star)))])) },
            { "a SEARCH charset utf-8 subject {3+}\r\nb\u00c3\u00a9\r\n", new SearchCommand("a", false, "UTF-8", new HeaderKey("Subject", "b\u00e9")) },
            { "a SEARCH NEW OLD\r\n", new SearchCommand("a", false, null, new AndKey([new AndKey([new RecentKey(true), new FlagKey(SystemFlags.Seen, false)]), new RecentKey(false)])) },
            { "a SEARCH OR (UNSEEN LARGER 5) NOT KEYWORD $x\r\n", new SearchCommand("a", false, null,
                new OrKey(new AndKey([new FlagKey(SystemFlags.Seen, false), new SizeKey(true, 5)]), new NotKey(new KeywordKey("$x", true)))) },
            { "a SEARCH ((ALL))\r\n", new SearchCommand("a", false, null, new AllKey()) },
            { "a SEARCH SENTSINCE 1-Feb-1994 ON \"01-feb-2024\"\r\n", new SearchCommand("a", false, null,
                new AndKey([new DateKey(DateKind.Sent, DateComparison.Since, new(1994, 2, 1)), new DateKey(DateKind.Internal, DateComparison.On, new(2024, 2, 1))])) },
            { "a SEARCH HEADER \"\" \"\" BODY x TEXT y\r\n", new SearchCommand("a", false, null, new AndKey([new HeaderKey("", ""), new TextKey(false, "x"), new TextKey(true, "y")])) },
            { "a FETCH 1 all\r\n", new FetchCommand("a", false, one, [Plain(FetchItemKind.Flags), Plain(FetchItemKind.InternalDate), Plain(FetchItemKind.Rfc822Size), Plain(FetchItemKind.Envelope)]) },
            { "a FETCH 1 FAST\r\n", new FetchCommand("a", false, one, [Plain(FetchItemKind.Flags), Plain(FetchItemKind.InternalDate), Plain(FetchItemKind.Rfc822Size)]) },
            { "a FETCH 1 FULL\r\n", new FetchCommand("a", false, one, [Plain(FetchItemKind.Flags), Plain(FetchItemKind.InternalDate), Plain(FetchItemKind.Rfc822Size), Plain(FetchItemKind.Envelope), Plain(FetchItemKind.Body)]) },
            { "a UID FETCH 1 (uid rfc822.size body bodystructure)\r\n", new FetchCommand("a", true, one,
                [Plain(FetchItemKind.Uid), Plain(FetchItemKind.Rfc822Size), Plain(FetchItemKind.Body), Plain(FetchItemKind.BodyStructure)]) },
            { "a FETCH 1 BODY[]\r\n", new FetchCommand("a", false, one, [Body([], SectionText.All)]) },
            { "a FETCH 1 body.peek[1.2.mime]<0.512>\r\n", new FetchCommand("a", false, one, [Body([1, 2], SectionText.Mime, peek: true, new PartialRange(0, 512))]) },
            { "a FETCH 1 (BODY[HEADER.FIELDS (Subject \"To\" {2+}\r\nCc)] BODY[3.HEADER.FIELDS.NOT (x)] BODY[4.TEXT] BODY[HEADER] BODY[5])\r\n", new FetchCommand("a", false, one,
                [Body([], SectionText.HeaderFields, fields: ["Subject", "To", "Cc"]), Body([3], SectionText.HeaderFieldsNot, fields: ["x"]),
                 Body([4], SectionText.Text), Body([], SectionText.Header), Body([5], SectionText.All)]) },
            { "a STORE 1 flags.silent \\Deleted \\Seen\r\n", new StoreCommand("a", false, one, StoreOperation.Replace, true, new FlagList(SystemFlags.Deleted | SystemFlags.Seen, [])) },
            { "a UID STORE 1 -FLAGS (kw)\r\n", new StoreCommand("a", true, one, StoreOperation.Remove, false, new FlagList(SystemFlags.None, ["kw"])) },
            { "a STORE 1 +FLAGS ()\r\n", new StoreCommand("a", false, one, StoreOperation.Add, false, FlagList.Empty) },
            { "a copy 4294967295 x\r\n", new CopyCommand("a", false, Set((SequenceSet.Star, SequenceSet.Star)), new MailboxName("x"), Move: false) },
            { "a UID MOVE 1 x\r\n", new CopyCommand("a", true, one, new MailboxName("x"), Move: true) },
        };
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_means_what_its_grammar_says(string text, ImapCommand expected)
    {
        Assert.True(Parse(text, out var command, out var error), error.Reason);
        Assert.Equal(Structure.Of(expected), Structure.Of(command));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("\r\n", null)]
    [InlineData(" NOOP\r\n", null)]
    [InlineData("+ NOOP\r\n", null)]
    [InlineData("* NOOP\r\n", null)]
    [InlineData("a( NOOP\r\n", null)]
    [InlineData("\u00e9 NOOP\r\n", null)]
    [InlineData("a\r\n")]
    [InlineData("a \r\n")]
    [InlineData("a  NOOP\r\n")]
    [InlineData("a NOOP\n")]
    [InlineData("a NOOP\r")]
    [InlineData("a NOOP")]
    [InlineData("a NOOP x\r\n")]
    [InlineData("a NOOP\0\r\n")]
    [InlineData("a NOOP\r\r\n")]
    [InlineData("a NOOP\t\r\n")]
    [InlineData("a LOGIN joe\r\n")]
    [InlineData("a LOGIN  joe pw\r\n")]
    [InlineData("a LOGIN joe  pw\r\n")]
    [InlineData("a LOGIN joe pw extra\r\n")]
    [InlineData("a LOGIN joe p(w\r\n")]
    [InlineData("a LOGIN joe \"pw\r\n")]
    [InlineData("a LOGIN joe \"p\\w\"\r\n")]
    [InlineData("a LOGIN joe \"pw\"x\r\n")]
    [InlineData("a LOGIN joe \"p\nw\"\r\n")]
    [InlineData("a LOGIN joe caf\u00e9\r\n")]
    [InlineData("a LOGIN joe \"caf\u00e9\"\r\n")]
    [InlineData("a LOGIN joe \"\u00c3\"\r\n")]
    [InlineData("a LOGIN joe \"\u00c0\u00af\"\r\n")]
    [InlineData("a LOGIN joe \"\u00ed\u00a0\u0080\"\r\n")]
    [InlineData("a LOGIN joe \"\u00f4\u0090\u0080\u0080\"\r\n")]
    [InlineData("a LOGIN joe \"\u00c3\\\"\u00a9\"\r\n")]
    [InlineData("a ID (\"name\" \"\u0080\")\r\n")]
    [InlineData("a LOGIN joe {5}\r\npw\r\n")]
    [InlineData("a LOGIN joe {2}\npw\r\n")]
    [InlineData("a LOGIN joe {2-}\r\npw\r\n")]
    [InlineData("a LOGIN joe ~{2}\r\npw\r\n")]
    [InlineData("a LOGIN joe {}\r\n\r\n")]
    [InlineData("a LOGIN joe {18446744073709551618}\r\npw\r\n")]
    [InlineData("a AUTHENTICATE\r\n")]
    [InlineData("a AUTHENTICATE PLAIN a b\r\n")]
    [InlineData("a AUTHENTICATE PLAIN !\r\n")]
    [InlineData("a AUTHENTICATE PLAIN \"AGpvZQ==\"\r\n")]
    [InlineData("a ID\r\n")]
    [InlineData("a ID (\"a\")\r\n")]
    [InlineData("a ID (a b)\r\n")]
    [InlineData("a ID (\"a\" \"b\"\r\n")]
    [InlineData("a ID (\"a\" (\"b\"))\r\n")]
    [InlineData("a ID (\"a\" {1+}\r\n\n)\r\n")]
    [InlineData("a ENABLE\r\n")]
    [InlineData("a SELECT\r\n")]
    [InlineData("a SELECT x (CONDSTOR)\r\n")]
    [InlineData("a SELECT foo*\r\n")]
    [InlineData("a CREATE x (NOSUCH)\r\n")]
    [InlineData("a CREATE x (USE (Sent))\r\n")]
    [InlineData("a CREATE x (USE (\\Sent)\r\n")]
    [InlineData("a RENAME x\r\n")]
    [InlineData("a LIST \"\"\r\n")]
    [InlineData("a LIST \"\" ()\r\n")]
    [InlineData("a LIST * x\r\n")]
    [InlineData("a LIST (NOSUCH) \"\" x\r\n")]
    [InlineData("a LIST (RECURSIVEMATCH) \"\" x\r\n")]
    [InlineData("a LIST (REMOTE RECURSIVEMATCH) \"\" x\r\n")]
    [InlineData("a LIST \"\" x RETURN\r\n")]
    [InlineData("a LIST \"\" x RETURN (NOSUCH)\r\n")]
    [InlineData("a LIST \"\" x RETURN (STATUS ())\r\n")]
    [InlineData("a STATUS x ()\r\n")]
    [InlineData("a STATUS x MESSAGES\r\n")]
    [InlineData("a STATUS x (NOSUCH)\r\n")]
    [InlineData("a EXPUNGE 1\r\n")]
    [InlineData("a UID EXPUNGE\r\n")]
    [InlineData("a SEARCH\r\n")]
    [InlineData("a SEARCH  ALL\r\n")]
    [InlineData("a SEARCH ()\r\n")]
    [InlineData("a SEARCH (ALL\r\n")]
    [InlineData("a SEARCH (ALL )\r\n")]
    [InlineData("a SEARCH ALL)\r\n")]
    [InlineData("a SEARCH NOSUCH\r\n")]
    [InlineData("a SEARCH NOT\r\n")]
    [InlineData("a SEARCH OR ALL\r\n")]
    [InlineData("a SEARCH SUBJECT\r\n")]
    [InlineData("a SEARCH SUBJECT \"\u00e9\"\r\n")]
    [InlineData("a SEARCH CHARSET UTF-8\r\n")]
    [InlineData("a SEARCH BEFORE 31-Feb-2020\r\n")]
    [InlineData("a SEARCH BEFORE 1-Foo-2020\r\n")]
    [InlineData("a SEARCH BEFORE 1-Jan-20\r\n")]
    [InlineData("a SEARCH BEFORE 1-Jan-0000\r\n")]
    [InlineData("a SEARCH BEFORE \"1-Jan-2020\r\n")]
    [InlineData("a SEARCH LARGER 4294967296\r\n")]
    [InlineData("a SEARCH LARGER -1\r\n")]
    [InlineData("a SEARCH RETURN (ALLE) ALL\r\n")]
    [InlineData("a FETCH 1\r\n")]
    [InlineData("a FETCH 0 FLAGS\r\n")]
    [InlineData("a FETCH 01 FLAGS\r\n")]
    [InlineData("a FETCH 1, FLAGS\r\n")]
    [InlineData("a FETCH 1: FLAGS\r\n")]
    [InlineData("a FETCH ,1 FLAGS\r\n")]
    [InlineData("a FETCH 1:2:3 FLAGS\r\n")]
    [InlineData("a FETCH 4294967296 FLAGS\r\n")]
    [InlineData("a FETCH 18446744073709551617 FLAGS\r\n")]
    [InlineData("a FETCH 1 ()\r\n")]
    [InlineData("a FETCH 1 (ALL)\r\n")]
    [InlineData("a FETCH 1 (FLAGS  UID)\r\n")]
    [InlineData("a FETCH 1 FLAGS UID\r\n")]
    [InlineData("a FETCH 1 BODY.PEEK\r\n")]
    [InlineData("a FETCH 1 FLAGS[]\r\n")]
    [InlineData("a FETCH 1 BODY[0]\r\n")]
    [InlineData("a FETCH 1 BODY[1.]\r\n")]
    [InlineData("a FETCH 1 BODY[MIME]\r\n")]
    [InlineData("a FETCH 1 BODY[1.NOSUCH]\r\n")]
    [InlineData("a FETCH 1 BODY[HEADER.FIELDS]\r\n")]
    [InlineData("a FETCH 1 BODY[HEADER.FIELDS ()]\r\n")]
    [InlineData("a FETCH 1 BODY[HEADER (x)]\r\n")]
    [InlineData("a FETCH 1 BODY[]<0>\r\n")]
    [InlineData("a FETCH 1 BODY[]<0.0>\r\n")]
    [InlineData("a FETCH 1 BODY[]<-1.5>\r\n")]
    [InlineData("a FETCH 1 BODY[]<0.4294967296>\r\n")]
    [InlineData("a STORE 1 FLAGS\r\n")]
    [InlineData("a STORE 1 FLAGS \r\n")]
    [InlineData("a STORE 1 FLAGS.LOUD (x)\r\n")]
    [InlineData("a STORE 1 *FLAGS (x)\r\n")]
    [InlineData("a STORE 1 FLAGS (\\Recent)\r\n")]
    [InlineData("a STORE 1 FLAGS (\\NoSuch)\r\n")]
    [InlineData("a STORE 1 FLAGS (\\*)\r\n")]
    [InlineData("a STORE 1 FLAGS (\"quoted\")\r\n")]
    [InlineData("a COPY 1\r\n")]
    [InlineData("a UID\r\n")]
    public void What_the_grammar_does_not_have_is_a_syntax_error(string text, string? tag = "a")
    {
        Assert.False(Parse(text, out _, out var error));
        Assert.Equal(ParseErrorKind.Syntax, error.Kind);
        Assert.Equal(tag, error.Tag);
        Assert.NotEmpty(error.Reason);
    }

    [Theory]
    [InlineData("a APPEND\r\n")]
    [InlineData("a APPEND x\r\n")]
    [InlineData("a APPEND x \r\n")]
    [InlineData("a APPEND x ()\r\n")]
    [InlineData("a APPEND x () \"\r\n")]
    [InlineData("a APPEND x (\\Seen {3}\r\n")]
    [InlineData("a APPEND x (\\Recent) {3}\r\n")]
    [InlineData("a APPEND x \"31-Jun-2026 00:00:00 +0000\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jun-2026 24:00:00 +0000\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jun-2026 00:60:00 +0000\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jun-2026 00:00:61 +0000\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jun-2026 00:00:00 +0060\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jun-2026 00:00:00 0000\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jan-0001 00:00:00 +1400\" {3}\r\n")]
    [InlineData("a APPEND x \"31-Dec-9999 23:59:59 -1400\" {3}\r\n")]
    [InlineData("a APPEND x \"1-Jan-0001 00:00:00 +9959\" {3}\r\n")]
    [InlineData("a APPEND x () () {3}\r\n")]
    [InlineData("a APPEND x CATENATE\r\n")]
    [InlineData("a APPEND x CATENATE ()\r\n")]
    [InlineData("a APPEND x CATENATE (URL)\r\n")]
    [InlineData("a APPEND x CATENATE (URL /a\r\n")]
    [InlineData("a APPEND x CATENATE (URL /a))\r\n")]
    [InlineData("a APPEND x CATENATE (URL /a )\r\n")]
    [InlineData("a APPEND x CATENATE (URL /a) \r\n")]
    [InlineData("a APPEND x CATENATE (TEXT a)\r\n")]
    [InlineData("a APPEND x CATENATE (UTF8 ({3}\r\n")]
    [InlineData("a APPEND x CATENATE ({3}) \r\n")]
    [InlineData("a APPEND x URL /a\r\n")]
    [InlineData("a APPEND x {3\r\n")]
    [InlineData("a APPEND x {3} \r\n")]
    [InlineData("a APPEND x {3}\r\nabc\r\n")]
    public void CVE_2013_2111_malformed_parameters_of_APPEND_are_a_syntax_error(string text)
    {
        Assert.False(Parse(text, out _, out var error));
        Assert.Equal((ParseErrorKind.Syntax, "a"), (error.Kind, error.Tag));
    }

    [Theory]
    [InlineData("a XYZZY\r\n")]
    [InlineData("a UID NOOP\r\n")]
    [InlineData("a UID XYZZY 1\r\n")]
    [InlineData("a AVERYVERYLONGCOMMANDNAME\r\n")]
    public void A_name_that_is_no_command_is_told_apart(string text)
    {
        Assert.False(Parse(text, out _, out var error));
        Assert.Equal((ParseErrorKind.UnknownCommand, "a"), (error.Kind, error.Tag));
    }

    [Theory]
    [InlineData("a SEARCH CHARSET KOI8-R ALL\r\n")]
    [InlineData("a UID SEARCH CHARSET \"\" ALL\r\n")]
    public void An_unknown_charset_is_told_apart(string text)
    {
        Assert.False(Parse(text, out _, out var error));
        Assert.Equal((ParseErrorKind.BadCharset, "a"), (error.Kind, error.Tag));
    }

    [Theory]
    [InlineData("a SELECT \"\"\r\n")]
    [InlineData("a SELECT \"x/\"\r\n")]
    [InlineData("a CREATE \"x//\"\r\n")]
    [InlineData("a CREATE /\r\n")]
    [InlineData("a SELECT ../x\r\n")]
    [InlineData("a SELECT x&y\r\n")]
    [InlineData("a SELECT \"caf\u00c3\u00a9\"\r\n")]
    [InlineData("a LIST \"\" \"&\"\r\n")]
    [InlineData("a LIST \"\" {1+}\r\n\n\r\n")]
    public void A_name_that_cannot_be_is_refused(string text)
    {
        Assert.False(Parse(text, out _, out var error));
        Assert.Equal((ParseErrorKind.Refused, "a"), (error.Kind, error.Tag));
    }

    [Fact]
    public void Names_are_UTF_8_once_that_is_enabled()
    {
        Assert.True(Parse("a SELECT \"caf\u00c3\u00a9 &AOk-\"\r\n", out var command, out _, utf8: true));
        Assert.Equal("caf\u00e9 &AOk-", Assert.IsType<SelectCommand>(command).Mailbox.Value);
        Assert.False(Parse("a SELECT {4+}\r\ncaf\u00e9\r\n", out _, out var error, utf8: true));
        Assert.Equal(ParseErrorKind.Refused, error.Kind);
    }

    [Fact]
    public void What_a_command_prints_of_itself_holds_no_password()
    {
        Assert.True(Parse("a LOGIN joe s3cret\r\n", out var login, out _));
        Assert.True(Parse("a AUTHENTICATE PLAIN czNjcmV0\r\n", out var authenticate, out _));
        Assert.DoesNotContain("s3cret", login!.ToString());
        Assert.DoesNotContain("czNjcmV0", authenticate!.ToString());
    }
}
