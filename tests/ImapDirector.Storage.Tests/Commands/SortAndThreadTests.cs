using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>SORT and THREAD (RFC 5256), SORT=DISPLAY (RFC 5957), ESORT (RFC 5267).</summary>
public sealed class SortAndThreadTests
{
    private static async Task<(RunningNode Node, ImapClient Client)> StartAsync(params string[] headers)
    {
        var node = await RunningNode.StartAsync();
        var client = await node.LogInAsync();
        for (var i = 0; i < headers.Length; i++)
            await client.AppendAsync("INBOX", headers[i].Replace("\n", "\r\n", StringComparison.Ordinal) + $"\r\n\r\n{new string('x', 10 * (i % 3))}\r\n", $"\"{i + 1:00}-Jan-2030 10:00:00 +0000\" ");
        await client.OkAsync("SELECT INBOX");
        return (node, client);
    }

    [Theory]
    [InlineData("ARRIVAL", "1 2 3 4")]
    [InlineData("REVERSE ARRIVAL", "4 3 2 1")]
    [InlineData("SUBJECT", "4 1 2 3")]
    [InlineData("SUBJECT REVERSE ARRIVAL", "4 3 2 1")]
    [InlineData("DATE", "4 3 2 1")]
    [InlineData("FROM", "3 2 4 1")]
    [InlineData("DISPLAYFROM", "1 4 3 2")]
    [InlineData("TO", "1 2 4 3")]
    [InlineData("CC", "1 2 3 4")]
    [InlineData("REVERSE SIZE", "3 2 1 4")]
    public async Task Messages_are_sorted_by_what_they_say(string criteria, string order)
    {
        var (node, client) = await StartAsync(
            "Date: Tue, 2 Jan 2029 10:00:00 +0000\nFrom: Beta <zoe@example.com>\nTo: a@example.com\nSubject: Re: [list] lunch",
            "Date: Mon, 1 Jan 2029 23:00:00 -0200\nFrom: Zed <bob@example.com>\nTo: b@example.com\nSubject: Lunch (fwd)\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
            "Date: Mon, 1 Jan 2029 23:00:00 +0000\nFrom: =?utf-8?q?=C3=9Cber?= <adam@example.com>\nSubject: =?utf-8?q?FW=3A_lunch?=\nTo: d@example.com",
            "From: carl@example.com\nSubject: =?utf-8?q?Apfel?=\nTo: c@example.com\nDate: Sun, 31 Dec 2028 01:00:00 +0000");
        await using var running = node;
        await using var session = client;
        Assert.Equal(["* SORT " + order], await client.OkAsync($"SORT ({criteria}) UTF-8 ALL"));
    }

    [Fact]
    public async Task The_criteria_pick_and_the_answer_keeps_the_order()
    {
        var (node, client) = await StartAsync("Subject: c", "Subject: a", "Subject: d", "Subject: b");
        await using var running = node;
        await ImapScript.RunAsync(client, """
            C: a STORE 1 +FLAGS.SILENT (\Deleted)
            S: a OK ~
            C: b EXPUNGE
            S: * 1 EXPUNGE
            S: * 3 RECENT
            S: b OK ~
            C: c UID SORT (SUBJECT) US-ASCII NOT SUBJECT b
            S: * SORT 2 3
            S: c OK ~
            C: d SORT RETURN (ALL COUNT MIN MAX) (SUBJECT) UTF-8 ALL
            S: * ESEARCH (TAG "d") MIN 1 MAX 2 COUNT 3 ALL 1,3,2
            S: d OK ~
            C: e UID SORT RETURN (PARTIAL -1:-2 SAVE) (REVERSE SUBJECT) UTF-8 ALL
            S: * ESEARCH (TAG "e") UID PARTIAL (-1:-2 4,2)
            S: e OK ~
            C: f FETCH $ (UID)
            S: * 1 FETCH (UID 2)
            S: * 3 FETCH (UID 4)
            S: f OK ~
            C: g SORT (SUBJECT) X-KLINGON ALL
            S: g NO [BADCHARSET ~
            C: h SORT (SUBJEKT) UTF-8 ALL
            S: h BAD ~
            C: i SORT (SUBJECT) UTF-8 KEYWORD none
            S: * SORT
            S: i OK ~
            """);
    }

    [Fact]
    public async Task Threads_follow_references_and_at_last_the_subject()
    {
        var (node, client) = await StartAsync(
            "Message-ID: <1@x>\nSubject: hello\nDate: Mon, 1 Jan 2029 10:00:00 +0000",
            "Message-ID: <2@x>\nReferences: <1@x>\nSubject: Re: hello\nDate: Mon, 1 Jan 2029 11:00:00 +0000",
            "Message-ID: <3@x>\nIn-Reply-To: <2@x>\nSubject: Re: hello\nDate: Mon, 1 Jan 2029 12:00:00 +0000",
            "Message-ID: <4@x>\nReferences: <1@x> <gone@x>\nSubject: Re: hello\nDate: Mon, 1 Jan 2029 11:30:00 +0000",
            "Message-ID: <5@x>\nReferences: <lost@x>\nSubject: other\nDate: Mon, 1 Jan 2029 09:00:00 +0000",
            "Message-ID: <6@x>\nReferences: <lost@x>\nSubject: other\nDate: Mon, 1 Jan 2029 09:30:00 +0000",
            "Message-ID: <7@x>\nSubject: Re: hello\nDate: Mon, 1 Jan 2029 13:00:00 +0000",
            "Subject: alone\nDate: Mon, 1 Jan 2029 08:00:00 +0000");
        await using var running = node;
        await ImapScript.RunAsync(client, """
            C: a THREAD REFERENCES UTF-8 ALL
            S: * THREAD (8)((5)(6))(1 (2 3)(4)(7))
            S: a OK ~
            C: b THREAD REFS UTF-8 ALL
            S: * THREAD (8)((5)(6))(1 (2 3)(4))(7)
            S: b OK ~
            C: c THREAD ORDEREDSUBJECT UTF-8 ALL
            S: * THREAD (8)(5 6)(1 (2)(4)(3)(7))
            S: c OK ~
            C: d UID THREAD REFERENCES UTF-8 2:4
            S: * THREAD ((2 3)(4))
            S: d OK ~
            C: e THREAD REFERENCES UTF-8 KEYWORD none
            S: * THREAD
            S: e OK ~
            C: f THREAD BYCOLOUR UTF-8 ALL
            S: f BAD ~
            """);
    }

    [Fact]
    public async Task References_in_a_circle_and_double_ids_end()
    {
        var (node, client) = await StartAsync(
            "Message-ID: <1@x>\nReferences: <2@x>\nSubject: a\nDate: Mon, 1 Jan 2029 10:00:00 +0000",
            "Message-ID: <2@x>\nReferences: <1@x>\nSubject: b\nDate: Mon, 1 Jan 2029 11:00:00 +0000",
            "Message-ID: <2@x>\nReferences: <2@x>\nSubject: c\nDate: Mon, 1 Jan 2029 12:00:00 +0000",
            "Message-ID: <4@x>\nReferences: <4@x> <4@x>\nSubject: d\nDate: Mon, 1 Jan 2029 13:00:00 +0000");
        await using var running = node;
        await using var session = client;
        var thread = Assert.Single(await client.OkAsync("THREAD REFS UTF-8 ALL"));
        Assert.Equal("1234", string.Concat(thread.Where(char.IsAsciiDigit).Order()));
    }
}
