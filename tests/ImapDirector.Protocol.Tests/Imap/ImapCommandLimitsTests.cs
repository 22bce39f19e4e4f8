using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>The limits on what a command may be, each just below, at and above, and what a command may cost.</summary>
public sealed class ImapCommandLimitsTests
{
    private const int KiB = 1024;

    private static ParseErrorKind? ErrorOf(string text, int maxDepth = 64)
    {
        var frame = new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(text));
        return ImapCommandParser.TryParse(frame, new ParseOptions(false, maxDepth), out _, out var error) ? null : error.Kind;
    }

    /// <summary>What the second parse of the same frame allocates: the first one also pays for what is made once.</summary>
    private static (bool Parsed, long Bytes) Cost(in ReadOnlySequence<byte> frame, in ParseOptions options)
    {
        _ = ImapCommandParser.TryParse(frame, options, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var parsed = ImapCommandParser.TryParse(frame, options, out _, out _);
        return (parsed, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Many(string item, int count, string separator = " ") => string.Join(separator, Enumerable.Repeat(item, count));

    [Theory]
    [InlineData(0, ParseErrorKind.Syntax)]
    [InlineData(1, null)]
    public void P5_Before_login_ID_needs_a_list_of_depth_1_and_gets_it(int maxDepth, ParseErrorKind? error)
    {
        Assert.Equal(1, ParseOptions.BeforeLogin.MaxDepth);
        Assert.Equal(error, ErrorOf("a ID (\"name\" \"x\")\r\n", maxDepth));
    }

    [Fact]
    public void P5_Before_login_there_is_no_list_in_a_list() => Assert.Equal(ParseErrorKind.Syntax, ErrorOf("a FETCH 1 (BODY[HEADER.FIELDS (x)])\r\n", maxDepth: 1));

    [Theory]
    [InlineData(29, null)]
    [InlineData(30, null)]
    [InlineData(31, ParseErrorKind.Syntax)]
    public void P6_ID_has_at_most_30_fields(int fields, ParseErrorKind? error) => Assert.Equal(error, ErrorOf($"a ID ({Many("\"k\" \"v\"", fields)})\r\n"));

    [Theory]
    [InlineData(29, null)]
    [InlineData(30, null)]
    [InlineData(31, ParseErrorKind.Syntax)]
    public void P6_An_ID_field_name_has_at_most_30_bytes(int bytes, ParseErrorKind? error) =>
        Assert.Equal(error, ErrorOf($"a ID (\"{new string('k', bytes)}\" NIL)\r\n"));

    [Theory]
    [InlineData(1023, null)]
    [InlineData(1024, null)]
    [InlineData(1025, ParseErrorKind.Syntax)]
    public void P6_An_ID_value_has_at_most_1024_bytes(int bytes, ParseErrorKind? error)
    {
        Assert.Equal(error, ErrorOf($"a ID (\"k\" \"{new string('v', bytes)}\")\r\n"));
        Assert.Equal(error, ErrorOf($"a ID (\"k\" {{{bytes}+}}\r\n{new string('v', bytes)})\r\n"));
    }

    [Theory]
    [InlineData(63, null)]
    [InlineData(64, null)]
    [InlineData(65, ParseErrorKind.Syntax)]
    public void N3_A_search_nests_at_most_64_deep(int depth, ParseErrorKind? error)
    {
        Assert.Equal(error, ErrorOf($"a SEARCH {new string('(', depth)}ALL{new string(')', depth)}\r\n"));
        Assert.Equal(error, ErrorOf($"a SEARCH {Many("NOT", depth)} ALL\r\n"));
        Assert.Equal(error, ErrorOf($"a SEARCH {Many("OR SEEN", depth)} ALL\r\n"));
        Assert.Equal(error, ErrorOf($"a SEARCH {Many("OR", depth)} ALL {Many("SEEN", depth)}\r\n"));
        Assert.Equal(error, ErrorOf($"a SEARCH {Many("NOT (", depth / 2, "")}{(depth % 2 == 1 ? "NOT " : "")}ALL{new string(')', depth / 2)}\r\n"));
    }

    [Fact]
    public void N3_What_lies_side_by_side_is_not_deep() => Assert.Null(ErrorOf($"a SEARCH {Many("NOT (SEEN)", 100)} OR (ALL) (ALL)\r\n"));

    [Fact]
    public void N3_No_setting_lets_a_client_reach_the_end_of_the_stack() =>
        Assert.Equal(ParseErrorKind.Syntax, ErrorOf($"a SEARCH {new string('(', 1_000_000)}\r\n", int.MaxValue));

    [Theory]
    [InlineData(9_999, null)]
    [InlineData(10_000, null)]
    [InlineData(10_001, ParseErrorKind.Refused)]
    public void N4_A_set_has_at_most_10_000_ranges(int ranges, ParseErrorKind? error)
    {
        Assert.Equal(error, ErrorOf($"a FETCH {Many("1", ranges, ",")} FLAGS\r\n"));
        Assert.Equal(error, ErrorOf($"a SEARCH UID {Many("1:2", ranges, ",")}\r\n"));
    }

    [Theory]
    [InlineData("4294967294", null)]
    [InlineData("4294967295", null)]
    [InlineData("4294967296", ParseErrorKind.Syntax)]
    [InlineData("8589934593", ParseErrorKind.Syntax)]
    public void N4_A_number_in_a_set_does_not_wrap(string number, ParseErrorKind? error) => Assert.Equal(error, ErrorOf($"a FETCH 1:{number} FLAGS\r\n"));

    [Theory]
    [InlineData(254, null)]
    [InlineData(255, null)]
    [InlineData(256, ParseErrorKind.Refused)]
    public void N9_A_level_of_a_mailbox_name_has_at_most_255_bytes(int bytes, ParseErrorKind? error) =>
        Assert.Equal(error, ErrorOf($"a CREATE x/{new string('y', bytes)}/z\r\n"));

    [Theory]
    [InlineData(63, null)]
    [InlineData(64, null)]
    [InlineData(65, ParseErrorKind.Refused)]
    public void N9_A_mailbox_name_has_at_most_64_levels(int levels, ParseErrorKind? error) => Assert.Equal(error, ErrorOf($"a CREATE {Many("x", levels, "/")}/\r\n"));

    [Theory]
    [InlineData(49, null)]
    [InlineData(50, null)]
    [InlineData(51, ParseErrorKind.Refused)]
    public void N11_A_keyword_has_at_most_50_bytes(int bytes, ParseErrorKind? error)
    {
        Assert.Equal(error, ErrorOf($"a STORE 1 FLAGS ({new string('k', bytes)})\r\n"));
        Assert.Equal(error, ErrorOf($"a APPEND x ({new string('k', bytes)}) {{1}}\r\n"));
        Assert.Equal(error, ErrorOf($"a SEARCH KEYWORD {new string('k', bytes)}\r\n"));
    }

    [Theory]
    [InlineData(63, null)]
    [InlineData(64, null)]
    [InlineData(65, ParseErrorKind.Refused)]
    public void N11_A_command_has_at_most_64_keywords_each_counted_once(int keywords, ParseErrorKind? error)
    {
        var list = string.Join(' ', Enumerable.Range(0, keywords).Select(i => $"k{i} K{i}"));
        Assert.Equal(error, ErrorOf($"a STORE 1 FLAGS ({list} \\Seen k0)\r\n"));
    }

    [Theory]
    [InlineData(499, null)]
    [InlineData(500, null)]
    [InlineData(501, ParseErrorKind.Syntax)]
    public void A_list_of_any_kind_has_at_most_500_items(int items, ParseErrorKind? error)
    {
        Assert.Equal(error, ErrorOf($"a SEARCH {Many("1", items)}\r\n"));
        Assert.Equal(error, ErrorOf($"a FETCH 1 ({Many("UID", items)})\r\n"));
        Assert.Equal(error, ErrorOf($"a FETCH 1 BODY[HEADER.FIELDS ({Many("x", items)})]\r\n"));
    }

    [Theory]
    [InlineData(99, null)]
    [InlineData(100, null)]
    [InlineData(101, ParseErrorKind.Syntax)]
    public void A_list_of_patterns_or_capabilities_or_part_numbers_has_at_most_100_items(int items, ParseErrorKind? error)
    {
        Assert.Equal(error, ErrorOf($"a LIST \"\" ({Many("x", items)})\r\n"));
        Assert.Equal(error, ErrorOf($"a ENABLE {Many("x", items)}\r\n"));
        Assert.Equal(error, ErrorOf($"a FETCH 1 BODY[{Many("1", items, ".")}]\r\n"));
    }

    [Theory]
    [InlineData(127, "t")]
    [InlineData(128, "t")]
    [InlineData(129, null)]
    public void A_tag_has_at_most_128_bytes(int bytes, string? tag)
    {
        var frame = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(new string('t', bytes) + " XYZZY\r\n"));
        Assert.False(ImapCommandParser.TryParse(frame, ParseOptions.BeforeLogin, out _, out var error));
        Assert.Equal(tag, error.Tag?[..1]);
    }

    public static TheoryData<string, string, string, string> Floods() => new()
    {
        { "a SEARCH ", "1 ", "1", "\r\n" },
        { "a SEARCH ", "TO \"\" ", "ALL", "\r\n" },
        { "a SEARCH ", "(1 1) ", "ALL", "\r\n" },
        { "a SEARCH ", "(", "", "\r\n" },
        { "a SEARCH ", "NOT ", "", "\r\n" },
        { "a SEARCH ", "OR ", "", "\r\n" },
        { "a SEARCH BODY \"", "\\\\", "", "\"\r\n" },
        { "a SEARCH BODY {65536+}\r\n", "\u00c3\u00a9", "", "\r\n" },
        { "a FETCH ", "1,", "1", " FLAGS\r\n" },
        { "a FETCH 1 (", "UID ", "UID", ")\r\n" },
        { "a FETCH 1 (", "BODY[1] ", "UID", ")\r\n" },
        { "a FETCH 1 (", "BODY[1]<0.1> ", "UID", ")\r\n" },
        { "a FETCH 1 (", "BODY[HEADER.FIELDS (a)] ", "UID", ")\r\n" },
        { "a FETCH 1 BODY[", "1.", "1", "]\r\n" },
        { "a FETCH 1 BODY[HEADER.FIELDS (", "a ", "a", ")]\r\n" },
        { "a STORE 1 FLAGS (", "a ", "a", ")\r\n" },
        { "a STORE 1 FLAGS (", "\\Seen ", "a", ")\r\n" },
        { "a STATUS x (", "UIDNEXT ", "UIDNEXT", ")\r\n" },
        { "a LIST \"\" (", "% ", "%", ")\r\n" },
        { "a LIST (", "REMOTE ", "REMOTE", ") \"\" %\r\n" },
        { "a ENABLE ", "a ", "a", "\r\n" },
        { "a ID (", "\"\" NIL ", "\"\" NIL", ")\r\n" },
        { "a ID ", "(", "", "\r\n" },
        { "a CREATE x (USE (", "\\a ", "\\a", "))\r\n" },
        { "a CREATE ", "&AOk-/", "x", "\r\n" },
        { "a CREATE ", "x/", "x", "\r\n" },
        { "a LOGIN \"", "\\\"", "", "\" x\r\n" },
        { "", "(", "", "\r\n" },
        { "a ", "x", "", "\r\n" },
    };

    [Theory]
    [MemberData(nameof(Floods))]
    public void A_command_costs_at_most_16_times_its_bytes_and_64_KiB(string head, string item, string last, string tail)
    {
        foreach (var size in new[] { 1 * KiB, 2 * KiB, 4 * KiB, 8 * KiB, 64 * KiB })
        {
            var frame = new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(head + Many(item, size / item.Length, "") + last + tail));
            var (_, cost) = Cost(frame, ParseOptions.AfterLogin);
            Assert.True(cost <= 16 * frame.Length + 64 * KiB, $"{cost} bytes for a command of {frame.Length}");
        }
    }

    [Fact]
    public void CVE_2026_27857_parentheses_before_login_cost_nothing()
    {
        var frame = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes("a ID " + new string('(', 8000) + "\r\n"));
        var (parsed, cost) = Cost(frame, ParseOptions.BeforeLogin);
        Assert.False(parsed);
        Assert.True(cost < KiB, $"{cost} bytes for 8000 parentheses");
    }

    [Fact]
    public void CVE_2019_11500_a_NUL_in_a_string_is_a_syntax_error_wherever_it_stands()
    {
        foreach (var command in new[] { "a LOGIN \"joe\" \"pw\"\r\n", "a LOGIN {3+}\r\njoe {2+}\r\npw\r\n", "a SELECT \"inbox\"\r\n", "a SEARCH HEADER \"x\" \"\\\\y\"\r\n" })
            for (var at = 2; at < command.Length; at++)
                if (char.IsAsciiLetter(command[at]) || command[at] is '\\' or '"')
                    Assert.NotNull(ErrorOf(command[..at] + '\0' + command[(at + 1)..]));
    }

    [Fact]
    public void CVE_2026_42391_ID_with_very_many_fields_is_turned_down_at_the_limit()
    {
        var frame = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes($"a ID ({Many("\"x\" \"y\"", 1000)})\r\n"));
        var (parsed, cost) = Cost(frame, ParseOptions.BeforeLogin);
        Assert.False(parsed);
        Assert.True(cost < 8 * KiB, $"{cost} bytes for the first 30 fields");
    }

    [Fact]
    public void CVE_2025_59032_a_literal_is_no_initial_response() =>
        Assert.Equal(ParseErrorKind.Syntax, ErrorOf("a AUTHENTICATE PLAIN {8+}\r\nAGpvZQ==\r\n"));

    [Theory]
    [InlineData("p")]
    [InlineData("1.p")]
    [InlineData("HEADERp")]
    [InlineData("4294967296")]
    [InlineData("99999999999999999999.1")]
    [InlineData("")]
    public void CVE_2004_1013_a_section_that_is_none_is_a_syntax_error(string section) =>
        Assert.Equal(ParseErrorKind.Syntax, ErrorOf($"a FETCH 1 BODY[{section}\r\n"));

    [Fact]
    public async Task CVE_2024_34055_memory_is_taken_for_what_has_come_not_for_what_was_announced()
    {
        var pipe = new Pipe();
        var reader = new ImapCommandReader(pipe.Reader, CommandLimits.AfterLogin, _ => ValueTask.CompletedTask);
        await pipe.Writer.WriteAsync("a SEARCH TEXT {262000+}\r\nabc"u8.ToArray());
        var before = GC.GetAllocatedBytesForCurrentThread();
        var reading = reader.ReadAsync(default);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 16 * KiB, "a literal of 3 bytes takes no more than a small buffer");
        Assert.False(reading.IsCompleted);
        await pipe.Writer.CompleteAsync();
        Assert.Equal(FrameKind.EndOfStream, (await reading).Kind);
    }
}
