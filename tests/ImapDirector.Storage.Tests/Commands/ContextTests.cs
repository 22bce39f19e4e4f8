using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267), with the items of RFC 5465 section 7.</summary>
public sealed class ContextTests
{
    private static async Task<RunningNode> WithMailAsync(params string[] subjects)
    {
        var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        foreach (var subject in subjects) await client.AppendAsync("INBOX", $"Subject: {subject}\r\n\r\nbody\r\n");
        return node;
    }

    [Fact]
    public async Task A_search_is_kept_up_to_date_by_what_comes_changes_and_goes()
    {
        await using var node = await WithMailAsync("one", "two", "three");
        await ImapScript.RunAsync(node, """
            C: a SELECT INBOX
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: a OK ~
            C: b UID SEARCH RETURN (UPDATE COUNT ALL) UNSEEN
            S: * ESEARCH (TAG "b") UID COUNT 3 ALL 1:3
            S: b OK ~
            C: c SEARCH RETURN (CONTEXT UPDATE) FLAGGED
            S: * ESEARCH (TAG "c")
            S: c OK ~
            C: d STORE 2 +FLAGS.SILENT (\Seen \Flagged)
            S: * ESEARCH (TAG "b") UID REMOVEFROM (0 2)
            S: * ESEARCH (TAG "c") ADDTO (0 2)
            S: d OK ~
            C2: x SELECT INBOX
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: x OK ~
            C2: y STORE 1 +FLAGS.SILENT \Deleted
            S2: y OK ~
            C2: z STORE 2 -FLAGS.SILENT \Seen
            S2: z OK ~
            C2: z2 EXPUNGE
            S2: * 1 EXPUNGE
            S2: z2 OK ~
            C2: w APPEND INBOX (\Flagged) {6+}
            C2: S: x
            C2:
            S2: * 3 EXISTS
            S2: * 1 RECENT
            S2: w OK ~
            C: e NOOP
            S: * ESEARCH (TAG "b") UID REMOVEFROM (0 1)
            S: * 1 EXPUNGE
            S: * 3 EXISTS
            S: * 2 RECENT
            S: * ESEARCH (TAG "b") UID ADDTO (0 2,4)
            S: * ESEARCH (TAG "c") ADDTO (0 3)
            S: * 1 FETCH (FLAGS (\Flagged \Recent))
            S: e OK ~
            C: f CANCELUPDATE "b"
            S: f OK ~
            C: g CANCELUPDATE "c" "b"
            S: g NO ~
            C: h STORE 1 FLAGS.SILENT (\Seen)
            S: h OK ~
            """);
    }

    [Fact]
    public async Task A_sorted_result_tells_places()
    {
        await using var node = await WithMailAsync("delta", "bravo", "foxtrot");
        await ImapScript.RunAsync(node, """
            C: a EXAMINE INBOX
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: ~
            S: a OK ~
            C: b UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED
            S: * ESEARCH (TAG "b") UID ALL 2,1,3
            S: b OK ~
            C: c SORT RETURN (UPDATE) (REVERSE SUBJECT) UTF-8 NOT SUBJECT bravo
            S: * ESEARCH (TAG "c")
            S: c OK ~
            C2: w APPEND INBOX {15+}
            C2: Subject: echo
            C2:  {16+}
            C2: Subject: alpha
            C2:
            S2: w OK ~
            C: d NOOP
            S: * 5 EXISTS
            S: * 5 RECENT
            S: * ESEARCH (TAG "b") UID ADDTO (1 5 4 4)
            S: * ESEARCH (TAG "c") ADDTO (2 4 4 5)
            S: d OK ~
            C2: x SELECT INBOX
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: ~
            S2: x OK ~
            C2: y UID STORE 1:2,5 +FLAGS.SILENT \Deleted
            S2: y OK ~
            C2: z UID EXPUNGE 2
            S2: * 2 EXPUNGE
            S2: * 4 RECENT
            S2: z OK ~
            C: e NOOP
            S: * ESEARCH (TAG "b") UID REMOVEFROM (3 1 2 2 1 5)
            S: * 2 EXPUNGE
            S: * 4 RECENT
            S: * 1 FETCH (FLAGS (\Deleted \Recent))
            S: * 4 FETCH (FLAGS (\Deleted \Recent))
            S: e OK ~
            C2: z2 EXPUNGE
            S2: * 4 EXPUNGE
            S2: * 1 EXPUNGE
            S2: * 2 RECENT
            S2: z2 OK ~
            C: f NOOP
            S: * ESEARCH (TAG "c") REMOVEFROM (4 4 3 1)
            S: * 4 EXPUNGE
            S: * 1 EXPUNGE
            S: * 2 RECENT
            S: f OK ~
            """);
    }

    [Fact]
    public async Task Messages_are_named_as_they_were_when_the_search_was_made()
    {
        await using var node = await WithMailAsync("one", "two", "three");
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("SEARCH RETURN (SAVE) SUBJECT one");
        await client.OkAsync("UID SEARCH RETURN (UPDATE) 2 FLAGGED");
        await client.OkAsync("UID SEARCH RETURN (UPDATE) $ FLAGGED");
        await client.OkAsync("UID SEARCH RETURN (UPDATE) UID 3:* ANSWERED");
        await client.OkAsync("UID SEARCH RETURN (UPDATE) * ANSWERED");
        await client.OkAsync("UID SEARCH RETURN (UPDATE) BODY body");
        await client.AppendAsync("INBOX", "Subject: four\r\n\r\nbody\r\n");
        var lines = await client.OkAsync("STORE 1:4 +FLAGS.SILENT (\\Flagged \\Answered)");
        Assert.Equal(["UID ADDTO (0 2)", "UID ADDTO (0 1)", "UID ADDTO (0 3:4)", "UID ADDTO (0 3)"], lines.Select(static line => line[(line.IndexOf(')', StringComparison.Ordinal) + 2)..]));
    }

    [Fact]
    public async Task What_is_told_of_new_messages_can_be_chosen_and_marks_none_as_seen()
    {
        await using var node = await WithMailAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("UID SEARCH RETURN (UPDATE (FLAGS BODY[TEXT])) SUBJECT wanted");
        await client.AppendAsync("INBOX", "Subject: other\r\n\r\none\r\n");
        await client.SendAsync("a APPEND INBOX {24+}\r\nSubject: wanted\r\n\r\ntwo\r\n\r\n");
        var lines = await client.ReadAnswerAsync("a");
        Assert.Contains("* 2 FETCH (UID 2 FLAGS (\\Recent) BODY[TEXT] {5}", lines);
        Assert.Equal(["* SEARCH 1 2"], await client.OkAsync("SEARCH UNSEEN"));
    }

    [Fact]
    public async Task In_IDLE_it_is_told_at_once()
    {
        await using var node = await WithMailAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("UID SEARCH RETURN (UPDATE) ALL");
        await client.SendAsync("i IDLE\r\n");
        Assert.Equal("+ idling", await client.ReadLineAsync());
        await using var other = await node.LogInAsync();
        await other.AppendAsync("INBOX", "Subject: x\r\n\r\n");
        Assert.Equal("* 1 EXISTS", await client.ReadLineAsync());
        Assert.Equal("* 1 RECENT", await client.ReadLineAsync());
        Assert.EndsWith(" UID ADDTO (0 1)", await client.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_are_refused_and_answered_all_the_same()
    {
        await using var node = await WithMailAsync("one");
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        for (var i = 0; i < 10; i++) await client.OkAsync("SEARCH RETURN (UPDATE) ALL");
        await client.SendLineAsync("x SEARCH RETURN (UPDATE COUNT) ALL");
        Assert.Equal(["* NO [NOUPDATE \"x\"] The result will not be kept up to date.", "* ESEARCH (TAG \"x\") COUNT 1", "OK Search completed."], await client.ReadAnswerAsync("x"));
        // They end with the selection.
        await client.OkAsync("SELECT INBOX");
        await client.SendLineAsync("x SEARCH RETURN (UPDATE) ALL");
        Assert.Equal(["* ESEARCH (TAG \"x\")", "OK Search completed."], await client.ReadAnswerAsync("x"));
        await client.SendLineAsync("x SEARCH RETURN (UPDATE) ALL");
        Assert.StartsWith("BAD ", (await client.ReadAnswerAsync("x"))[^1], StringComparison.Ordinal);
        await client.SendLineAsync("y ESEARCH IN (mailboxes INBOX) RETURN (UPDATE COUNT) ALL");
        Assert.StartsWith("* NO [NOUPDATE \"y\"]", (await client.ReadAnswerAsync("y"))[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CANCELUPDATE")]
    [InlineData("CANCELUPDATE b")]
    [InlineData("SEARCH RETURN (UPDATE UPDATE) ALL")]
    [InlineData("SEARCH RETURN (UPDATE ()) ALL")]
    [InlineData("SEARCH RETURN (UPDATE (NOTHING)) ALL")]
    public async Task What_the_grammar_does_not_have_is_BAD(string command)
    {
        await using var node = await WithMailAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.SendLineAsync("a " + command);
        Assert.StartsWith("BAD ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
    }
}
