using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>CATENATE (RFC 4469).</summary>
public sealed class CatenateTests
{
    private const string Mixed = "Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--b--\r\n";

    [Fact]
    public async Task A_message_is_put_together_from_parts_of_others_and_new_text()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("Drafts", Mixed);
        await client.OkAsync("SELECT Drafts");
        await ImapScript.RunAsync(client, """
            C: b APPEND INBOX (\Seen) "01-Jan-2030 00:00:00 +0000" CATENATE (URL "/Drafts/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)" TEXT {7+}
            C: hello
            C:  URL ;UID=1/;SECTION=2 URL {29+}
            C: /drafts/;UID=1/;PARTIAL=9.5
            C: )
            S: b NO [BADURL "/drafts/;UID=1/;PARTIAL=9.5%0D%0A"] ~
            C: c APPEND INBOX (\Seen) "01-Jan-2030 00:00:00 +0000" CATENATE (URL "/Drafts/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)" TEXT {7+}
            C: hello
            C:  URL ;UID=1/;SECTION=2 URL {27+}
            C: /Drafts/;UID=1/;PARTIAL=9.5)
            S: c OK [APPENDUID ~ 1] ~
            """);
        await client.OkAsync("EXAMINE INBOX");
        Assert.Equal(["* 1 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE \" 1-Jan-2030 00:00:00 +0000\" BODY[] {40}", "Subject: parts", "", "hello", "<p>two</p>parts)"],
            await client.OkAsync("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])"));
        Assert.Equal(["* STATUS Drafts (UNSEEN 1)"], await client.OkAsync("STATUS Drafts (UNSEEN)"));
    }

    [Fact]
    public async Task URLs_alone_need_no_literal_and_stand_beside_whole_messages()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("Drafts", Mixed);
        await client.SendAsync("a APPEND INBOX CATENATE (URL /Drafts/;UID=1) {4+}\r\nS: x CATENATE (URL /Drafts/;UID=1/;SECTION=1 UTF8 (~{2+}\r\n\u00c3\u00bc))\r\n");
        Assert.StartsWith("OK [APPENDUID ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        await client.SendAsync("b APPEND INBOX CATENATE (URL /Drafts/;UID=1)\r\n");
        Assert.StartsWith("OK [APPENDUID ", (await client.ReadAnswerAsync("b"))[^1], StringComparison.Ordinal);
        await client.OkAsync("SELECT INBOX");
        Assert.Equal(["* 1 FETCH (RFC822.SIZE 140)", "* 2 FETCH (RFC822.SIZE 4)", "* 3 FETCH (RFC822.SIZE 5)", "* 4 FETCH (RFC822.SIZE 140)"],
            (await client.OkAsync("FETCH 1:* RFC822.SIZE")).Select(static line => line.Replace(Mixed.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), "140", StringComparison.Ordinal)));
        // A draft becomes its next version without travelling (RFC 8508 section 3.5).
        await client.SendAsync("c REPLACE 2 INBOX CATENATE (URL ;UID=2 TEXT {1+}\r\n!)\r\n");
        Assert.StartsWith("OK ", (await client.ReadAnswerAsync("c"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* 4 FETCH (UID 5 BODY[] {5}", "S: x!)"], (await client.OkAsync("FETCH 4 (UID BODY.PEEK[])"))[..2]);
    }

    [Theory]
    [InlineData("/Drafts/;UID=2")]
    [InlineData("/Draft/;UID=1")]
    [InlineData("/Drafts;UIDVALIDITY=1/;UID=1")]
    [InlineData("/Drafts/;UID=1/;SECTION=3")]
    [InlineData("/Other%20Users/bob/;UID=1")]
    [InlineData(";UID=1")]
    [InlineData("imap://host/Drafts/;UID=1")]
    [InlineData("/Drafts/;UID=1/;SECTION=HEADER.FIELDS%20(%22")]
    public async Task What_is_not_there_is_named_and_the_command_is_read_to_its_end(string url)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("Drafts", Mixed);
        foreach (var (tag, command) in ((string, string)[])
        [
            ("a", $"a APPEND INBOX CATENATE (URL \"{url}\" TEXT {{3+}}\r\nabc TEXT {{3+}}\r\nabc)\r\n"),
            ("b", $"b APPEND INBOX CATENATE (TEXT {{3+}}\r\nabc URL \"{url}\") {{3+}}\r\nabc\r\n"),
            ("c", $"c APPEND INBOX CATENATE (URL {{{url.Length}+}}\r\n{url} TEXT {{3+}}\r\nabc)\r\n"),
            ("d", $"d APPEND INBOX CATENATE (URL \"{url}\" TEXT {{3}}\r\n"),
        ])
        {
            await client.SendAsync(command);
            Assert.StartsWith($"NO [BADURL \"{url}\"] ", (await client.ReadAnswerAsync(tag))[^1], StringComparison.Ordinal);
        }
        Assert.Equal(["* STATUS INBOX (MESSAGES 0)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
    }

    [Fact]
    public async Task A_refused_URL_cannot_end_its_response_code()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.SendAsync("a APPEND INBOX CATENATE (URL {11+}\r\n\"]\r\nb OK \\\u00fc )\r\n");
        Assert.StartsWith("NO [BADURL \"%22%5D%0D%0Ab%20OK%20%5C%C3%BC\"] ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        await client.OkAsync("NOOP");
    }

    [Fact]
    public async Task Limits_count_what_is_put_together()
    {
        await using var node = await RunningNode.StartAsync(options => options with { MaxMessageBytes = 1000 });
        await using var client = await node.LogInAsync();
        await client.AppendAsync("Drafts", "S: x\r\n\r\n" + new string('a', 600));
        foreach (var (tag, arguments, code) in ((string, string, string)[])
        [
            ("a", "CATENATE (URL /Drafts/;UID=1 URL /Drafts/;UID=1)", "NO [TOOBIG]"),
            ("b", "CATENATE (URL /Drafts/;UID=1 TEXT {500}", "NO [TOOBIG]"),
            ("c", string.Concat(Enumerable.Repeat("CATENATE (URL /Drafts/;UID=1) ", 7))[..^1], "NO [LIMIT]"),
            ("d", "CATENATE (URL /Drafts/;UID=1/;PARTIAL=9999)", "NO [CANNOT]"),
            ("e", $"CATENATE ({string.Concat(Enumerable.Repeat("URL /a ", 600))}TEXT {{3}}", "BAD"),
            ("f", $"CATENATE (URL {{{100_000}+}}\r\n{new string('a', 100_000)})", "NO [TOOBIG]"),
            ("g", $"CATENATE (URL {{{100_000}}}", "NO [TOOBIG]"),
            ("h", $"CATENATE (TEXT {{1+}}\r\na{string.Concat(Enumerable.Repeat(" TEXT {0+}\r\n", 1100))})", "NO [LIMIT]"),
            ("i", $"CATENATE (TEXT {{1+}}\r\na URL {new string('a', 70_000)})", "BAD"),
        ])
        {
            await client.SendAsync($"{tag} APPEND INBOX {arguments}\r\n");
            Assert.StartsWith(code, (await client.ReadAnswerAsync(tag))[^1], StringComparison.Ordinal);
        }
        Assert.Equal(["* STATUS INBOX (MESSAGES 0)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
    }
}
