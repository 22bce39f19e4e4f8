using System.Globalization;
using System.Text;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>FETCH, item by item.</summary>
public sealed class FetchTests
{
    private const string Header = "Date: Tue, 1 Jan 2030 10:00:00 +0100\r\nFrom: Ann <ann@example.com>\r\nSubject: greetings\r\n\r\n";
    private const string Body = "Hello, world.\r\n";
    private static readonly int Size = Header.Length + Body.Length;

    private static async Task<(RunningNode, ImapClient)> StartAsync()
    {
        var node = await RunningNode.StartAsync();
        var client = await node.LogInAsync();
        await client.AppendAsync("INBOX", Header + Body, "(\\Answered Work) \"17-Jul-2031 02:44:25 -0700\" ");
        await client.OkAsync("SELECT INBOX");
        return (node, client);
    }

    public static TheoryData<string, string> Items => new()
    {
        { "UID", "UID 1" },
        { "FLAGS", "FLAGS (\\Answered \\Recent Work)" },
        { "INTERNALDATE", "INTERNALDATE \"17-Jul-2031 02:44:25 -0700\"" },
        { "RFC822.SIZE", $"RFC822.SIZE {Size}" },
        { "(UID FLAGS)", "UID 1 FLAGS (\\Answered \\Recent Work)" },
        { "FAST", $"FLAGS (\\Answered \\Recent Work) INTERNALDATE \"17-Jul-2031 02:44:25 -0700\" RFC822.SIZE {Size}" },
        { "BODY.PEEK[]", Literal("BODY[]", Header + Body) },
        { "BODY.PEEK[HEADER]", Literal("BODY[HEADER]", Header) },
        { "BODY.PEEK[TEXT]", Literal("BODY[TEXT]", Body) },
        { "BODY.PEEK[1]", Literal("BODY[1]", Body) },
        { "BODY.PEEK[1.MIME]", Literal("BODY[1.MIME]", Header) },
        { "BODY.PEEK[2]", "BODY[2] NIL" },
        { "BODY.PEEK[1.2.3]", "BODY[1.2.3] NIL" },
        { "BODY.PEEK[1.HEADER]", "BODY[1.HEADER] NIL" },
        { "BODY.PEEK[HEADER.FIELDS (subject X-None)]", Literal("BODY[HEADER.FIELDS (subject X-None)]", "Subject: greetings\r\n\r\n") },
        { "BODY.PEEK[HEADER.FIELDS.NOT (Date From)]", Literal("BODY[HEADER.FIELDS.NOT (Date From)]", "Subject: greetings\r\n\r\n") },
        { "BODY.PEEK[]<0.6>", Literal("BODY[]<0>", "Date: ") },
        { "BODY.PEEK[TEXT]<7.100>", Literal("BODY[TEXT]<7>", "world.\r\n") },
        { "BODY.PEEK[TEXT]<100.5>", Literal("BODY[TEXT]<100>", "") },
        { "BODY.PEEK[HEADER.FIELDS (Subject)]<9.100>", Literal("BODY[HEADER.FIELDS (Subject)]<9>", "greetings\r\n\r\n") },
        { "RFC822.HEADER", Literal("RFC822.HEADER", Header) },
        { "(BODY.PEEK[TEXT]<0.5> UID)", Literal("BODY[TEXT]<0>", "Hello") + " UID 1" },
    };

    private static string Literal(string name, string text) => $"{name} {{{text.Length}}}\r\n{text}";

    [Theory]
    [MemberData(nameof(Items))]
    public async Task An_item_is_answered(string item, string answer)
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            await client.SendLineAsync($"a FETCH 1 {item}");
            var expected = $"* 1 FETCH ({answer})\r\na OK Fetch completed.\r\n";
            Assert.Equal(expected, Encoding.Latin1.GetString(await client.ReadBytesAsync(expected.Length)));
            Assert.DoesNotContain("\\Seen", string.Concat(await client.OkAsync("FETCH 1 FLAGS")), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("ENVELOPE", "ENVELOPE (")]
    [InlineData("BODY", "BODY (")]
    [InlineData("BODYSTRUCTURE", "BODYSTRUCTURE (")]
    [InlineData("ALL", "FLAGS (\\Answered \\Recent Work) INTERNALDATE \"17-Jul-2031 02:44:25 -0700\" RFC822.SIZE ")]
    [InlineData("FULL", "FLAGS (\\Answered \\Recent Work) INTERNALDATE \"17-Jul-2031 02:44:25 -0700\" RFC822.SIZE ")]
    public async Task What_was_made_ready_at_arrival_is_sent_as_it_is(string item, string beginning)
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            var line = Assert.Single(await client.OkAsync($"FETCH 1 {item}"));
            Assert.StartsWith("* 1 FETCH (" + beginning, line, StringComparison.Ordinal);
            Assert.Equal(line.Count(static c => c == '('), line.Count(static c => c == ')'));
        }
    }

    [Theory]
    [InlineData("BODY[]")]
    [InlineData("BODY[TEXT]<0.1>")]
    [InlineData("RFC822")]
    [InlineData("RFC822.TEXT")]
    public async Task Reading_the_text_marks_the_message_as_seen_and_says_so_once(string item)
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            var first = await client.OkAsync($"FETCH 1 {item}");
            Assert.StartsWith("* 1 FETCH (FLAGS (\\Answered \\Seen \\Recent Work) ", first[0], StringComparison.Ordinal);
            var second = await client.OkAsync($"FETCH 1 {item}");
            Assert.DoesNotContain("FLAGS", second[0], StringComparison.Ordinal);
            await using var other = await node.LogInAsync();
            Assert.Equal(["* STATUS INBOX (UNSEEN 0)"], await other.OkAsync("STATUS INBOX (UNSEEN)"));
        }
    }

    [Fact]
    public async Task Messages_with_large_headers_are_answered_each_in_its_order()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        for (var i = 1; i <= 4; i++) await client.AppendAsync("INBOX", $"Subject: {new string('x', i * 100_000)}\r\n\r\n");
        await client.OkAsync("SELECT INBOX");
        var answers = await client.CommandAsync("FETCH 1:4 (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (X)])");
        Assert.Equal([1, 2, 3, 4], answers.Select(static line => line.Count(static letter => letter == 'x') / 100_000).Where(static size => size > 0));
    }

    [Fact]
    public async Task An_examined_mailbox_is_not_marked()
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            await client.OkAsync("EXAMINE INBOX");
            Assert.StartsWith("* 1 FETCH (BODY[TEXT] ", (await client.OkAsync("FETCH 1 BODY[TEXT]"))[0], StringComparison.Ordinal);
            Assert.Equal(["* STATUS INBOX (UNSEEN 1)"], await client.OkAsync("STATUS INBOX (UNSEEN)"));
        }
    }

    [Fact]
    public async Task UID_FETCH_always_says_the_UID_and_passes_over_what_is_not_there()
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            for (var i = 0; i < 4; i++) await client.AppendAsync("INBOX", "Subject: x\r\n\r\n");
            await client.OkAsync("STORE 2,4 +FLAGS.SILENT (\\Deleted)");
            await client.OkAsync("EXPUNGE");
            Assert.Equal(["* 1 FETCH (UID 1 RFC822.SIZE " + Size + ")"], await client.OkAsync("UID FETCH 1:2 RFC822.SIZE"));
            Assert.Equal(["* 2 FETCH (UID 3)", "* 3 FETCH (UID 5)"], await client.OkAsync("UID FETCH 2:* UID"));
            Assert.Equal(["* 3 FETCH (UID 5)"], await client.OkAsync("UID FETCH 900:* UID"));
            Assert.Equal(["* 3 FETCH (UID 5)"], await client.OkAsync("UID FETCH * (UID)"));
            Assert.Equal(["* 1 FETCH (UID 1)", "* 2 FETCH (UID 3)"], await client.OkAsync("UID FETCH 3,1,1:2 (UID)"));
            Assert.Empty(await client.OkAsync("UID FETCH 2,4,6:900 (FLAGS)"));
        }
    }

    [Theory]
    [InlineData("FETCH 2 FLAGS")]
    [InlineData("FETCH 1:2 FLAGS")]
    [InlineData("FETCH 2:* FLAGS")]
    [InlineData("STORE 2 FLAGS ()")]
    [InlineData("COPY 2 Archive")]
    [InlineData("MOVE 2 Archive")]
    public async Task A_message_number_out_of_range_is_a_bad_command(string command)
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client) Assert.Equal("BAD Invalid message set.", (await client.CommandAsync(command))[^1]);
    }

    [Theory]
    [InlineData("FETCH 1:* FLAGS", "BAD Invalid message set.")]
    [InlineData("FETCH * FLAGS", "BAD Invalid message set.")]
    [InlineData("UID FETCH 1:* FLAGS", "OK Fetch completed.")]
    [InlineData("UID STORE * +FLAGS (\\Seen)", "OK Store completed.")]
    [InlineData("SEARCH 1:*", "OK Search completed.")]
    public async Task In_an_empty_mailbox_no_number_is_in_range_and_no_UID_is_an_error(string command, string answer)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        Assert.Equal(answer, (await client.CommandAsync(command))[^1]);
    }

    [Theory]
    [InlineData("FETCH 1 FLAGS")]
    [InlineData("STORE 1 FLAGS ()")]
    [InlineData("SEARCH ALL")]
    [InlineData("COPY 1 INBOX")]
    [InlineData("EXPUNGE")]
    [InlineData("CLOSE")]
    [InlineData("UNSELECT")]
    [InlineData("CHECK")]
    public async Task Without_a_selected_mailbox_it_is_a_bad_command(string command)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        Assert.Equal("BAD No mailbox selected.", (await client.CommandAsync(command))[^1]);
    }

    [Fact]
    public async Task A_NUL_in_a_message_does_not_reach_the_client()
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            await client.AppendAsync("INBOX", "Subject: nul\r\n\r\na\0b\r\n");
            var expected = "* 2 FETCH (BODY[TEXT] {5}\r\na\u0080b\r\n)\r\n";
            await client.SendLineAsync("a FETCH 2 BODY.PEEK[TEXT]");
            Assert.Equal(expected, Encoding.Latin1.GetString(await client.ReadBytesAsync(expected.Length)));
        }
    }

    [Fact]
    public async Task A_large_message_comes_whole_and_byte_for_byte()
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            var text = new StringBuilder("Subject: large\r\n\r\n");
            for (var i = 0; text.Length < 3_000_000; i++) text.Append(CultureInfo.InvariantCulture, $"line {i} of many\r\n");
            await client.AppendAsync("INBOX", text.ToString());
            await client.SendLineAsync("a FETCH 2 BODY.PEEK[]");
            Assert.Equal($"* 2 FETCH (BODY[] {{{text.Length}}}", await client.ReadLineAsync());
            Assert.Equal(text.ToString(), Encoding.Latin1.GetString(await client.ReadBytesAsync(text.Length)));
            Assert.Equal(")", await client.ReadLineAsync());
        }
    }

    [Fact]
    public async Task A_whole_mailbox_of_more_than_a_batch_comes_in_order()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("INBOX", "Subject: x\r\n\r\n");
        await client.OkAsync("SELECT INBOX");
        for (var count = 1; count < 1024; count *= 2) await client.OkAsync($"COPY 1:{count} INBOX");
        var lines = await client.OkAsync("FETCH 1:* UID");
        Assert.Equal(Enumerable.Range(1, 1024).Select(static i => $"* {i} FETCH (UID {i})"), lines);
        Assert.Equal(1024, (await client.OkAsync("STORE 1:* +FLAGS (\\Seen)")).Count);
        Assert.Empty(await client.OkAsync("NOOP"));
        Assert.Equal(1024, (await client.OkAsync("FETCH 1:* BODY[TEXT]")).Count(static line => line.Contains("FETCH", StringComparison.Ordinal)));
        await client.OkAsync("STORE 1:1000 +FLAGS.SILENT (\\Deleted)");
        Assert.Equal(1000, (await client.OkAsync("EXPUNGE")).Count(static line => line.EndsWith("EXPUNGE", StringComparison.Ordinal)));
        Assert.Equal(["* 24 FETCH (UID 1024)"], await client.OkAsync("FETCH * UID"));
    }
}
