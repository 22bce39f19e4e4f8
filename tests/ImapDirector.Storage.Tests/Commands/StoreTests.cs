using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>STORE, COPY, MOVE, EXPUNGE and CLOSE.</summary>
public sealed class StoreTests
{
    private static async Task<(RunningNode, ImapClient)> StartAsync(int messages)
    {
        var node = await RunningNode.StartAsync();
        var client = await node.LogInAsync();
        for (var i = 1; i <= messages; i++) await client.AppendAsync("INBOX", $"Subject: {i}\r\n\r\n", "(\\Flagged) \"01-Feb-2033 03:04:05 +0000\" ");
        // The second time nothing is \Recent, and the tests need not mention it.
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("SELECT INBOX");
        return (node, client);
    }

    [Theory]
    [InlineData("STORE 1 FLAGS (\\Seen)", "* 1 FETCH (FLAGS (\\Seen))")]
    [InlineData("STORE 1 +FLAGS (\\Seen \\Draft)", "* 1 FETCH (FLAGS (\\Flagged \\Seen \\Draft))")]
    [InlineData("STORE 1 +FLAGS \\Answered \\Deleted", "* 1 FETCH (FLAGS (\\Answered \\Flagged \\Deleted))")]
    [InlineData("STORE 1 -FLAGS (\\Flagged \\Seen)", "* 1 FETCH (FLAGS ())")]
    [InlineData("STORE 1 FLAGS ()", "* 1 FETCH (FLAGS ())")]
    [InlineData("STORE 1 +FLAGS ()", "* 1 FETCH (FLAGS (\\Flagged))")]
    [InlineData("UID STORE 1 +FLAGS (\\Seen)", "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))")]
    public async Task Flags_are_replaced_added_and_removed_and_the_answer_says_what_they_are_now(string command, string answer)
    {
        var (node, client) = await StartAsync(1);
        await using (node)
        await using (client) Assert.Equal([answer], await client.OkAsync(command));
    }

    [Fact]
    public async Task A_keyword_keeps_its_first_spelling_and_is_found_in_any()
    {
        var (node, client) = await StartAsync(2);
        await using (node)
        await using (client)
        {
            await client.OkAsync("STORE 1 +FLAGS.SILENT (Project)");
            Assert.Equal(["* 2 FETCH (FLAGS (\\Flagged Project))"], await client.OkAsync("STORE 2 +FLAGS (PROJECT)"));
            Assert.Equal(["* SEARCH 1 2"], await client.OkAsync("SEARCH KEYWORD pROJECT"));
            Assert.Equal(["* 1 FETCH (FLAGS (\\Flagged))"], await client.OkAsync("STORE 1 -FLAGS (project)"));
            Assert.Equal(["* SEARCH 1"], await client.OkAsync("SEARCH UNKEYWORD project"));
        }
    }

    [Theory]
    [InlineData("STORE 1 +FLAGS (\\Recent)")]
    [InlineData("STORE 1 +FLAGS (\\Unknown)")]
    [InlineData("STORE 1 FLAG (\\Seen)")]
    [InlineData("STORE 1")]
    public async Task Flags_that_cannot_be_set_are_a_bad_command(string command)
    {
        var (node, client) = await StartAsync(1);
        await using (node)
        await using (client) Assert.StartsWith("BAD ", (await client.CommandAsync(command))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailbox_that_was_examined_cannot_be_changed()
    {
        var (node, client) = await StartAsync(1);
        await using (node)
        await using (client)
        {
            await client.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
            await client.OkAsync("EXAMINE INBOX");
            foreach (var command in new[] { "STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Archive" })
                Assert.StartsWith("NO [READ-ONLY] ", (await client.CommandAsync(command))[^1], StringComparison.Ordinal);
            await client.OkAsync("CLOSE");
            Assert.Equal(["* STATUS INBOX (MESSAGES 1)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
        }
    }

    [Fact]
    public async Task EXPUNGE_removes_what_is_deleted_and_UID_EXPUNGE_only_what_it_names()
    {
        var (node, client) = await StartAsync(5);
        await using (node)
        await using (client)
        {
            await client.OkAsync("STORE 1,3,5 +FLAGS.SILENT (\\Deleted)");
            Assert.Equal(["* 3 EXPUNGE"], await client.OkAsync("UID EXPUNGE 2:4"));
            Assert.Empty(await client.OkAsync("UID EXPUNGE 100"));
            Assert.Equal(["* 4 EXPUNGE", "* 1 EXPUNGE"], await client.OkAsync("EXPUNGE"));
            Assert.Equal(["* 1 FETCH (UID 2)", "* 2 FETCH (UID 4)"], await client.OkAsync("FETCH 1:* UID"));
        }
    }

    [Fact]
    public async Task CLOSE_removes_without_a_word_and_UNSELECT_does_not()
    {
        var (node, client) = await StartAsync(2);
        await using (node)
        await using (client)
        {
            await client.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
            Assert.Empty(await client.OkAsync("UNSELECT"));
            Assert.Equal(["* STATUS INBOX (MESSAGES 2)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
            await client.OkAsync("SELECT INBOX");
            Assert.Empty(await client.OkAsync("CLOSE"));
            Assert.Equal(["* STATUS INBOX (MESSAGES 1)"], await client.OkAsync("STATUS INBOX (MESSAGES)"));
            Assert.Equal("BAD No mailbox selected.", (await client.CommandAsync("FETCH 1 FLAGS"))[^1]);
        }
    }

    [Fact]
    public async Task COPY_keeps_flags_and_dates_and_says_which_UIDs_became_which()
    {
        var (node, client) = await StartAsync(3);
        await using (node)
        await using (client)
        {
            await client.OkAsync("STORE 3 +FLAGS.SILENT (\\Seen Word)");
            var validity = (await client.OkAsync("STATUS Archive (UIDVALIDITY)"))[0].Split(' ', ')')[4];
            Assert.Equal($"OK [COPYUID {validity} 1,3 1:2] Copy completed.", (await client.CommandAsync("COPY 1,3 Archive"))[^1]);
            Assert.Equal("OK Copy completed.", (await client.CommandAsync("UID COPY 77 Archive"))[^1]);
            Assert.StartsWith("NO [TRYCREATE] ", (await client.CommandAsync("COPY 1 nowhere"))[^1], StringComparison.Ordinal);
            await client.OkAsync("EXAMINE Archive");
            Assert.Equal(
                ["* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent) INTERNALDATE \" 1-Feb-2033 03:04:05 +0000\")",
                 "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Seen \\Recent Word) INTERNALDATE \" 1-Feb-2033 03:04:05 +0000\")"],
                await client.OkAsync("FETCH 1:* (UID FLAGS INTERNALDATE)"));
        }
    }

    [Fact]
    public async Task MOVE_says_the_new_UIDs_before_the_messages_leave()
    {
        var (node, client) = await StartAsync(3);
        await using (node)
        await using (client)
        {
            var lines = await client.CommandAsync("MOVE 1:2 Archive");
            Assert.Matches(@"^\* OK \[COPYUID \d+ 1:2 1:2\] ", lines[0]);
            Assert.Equal(["* 2 EXPUNGE", "* 1 EXPUNGE", "OK Move completed."], lines.Skip(1));
            Assert.Equal(["* STATUS Archive (MESSAGES 2)"], await client.OkAsync("STATUS Archive (MESSAGES)"));
            Assert.StartsWith("NO [TRYCREATE] ", (await client.CommandAsync("UID MOVE 3 nowhere"))[^1], StringComparison.Ordinal);
            Assert.Equal(["* 1 FETCH (UID 3)"], await client.OkAsync("FETCH 1 UID"));
        }
    }

    [Fact]
    public async Task Moving_within_the_mailbox_gives_the_message_a_new_place()
    {
        var (node, client) = await StartAsync(2);
        await using (node)
        await using (client)
        {
            var lines = await client.CommandAsync("MOVE 1 INBOX");
            Assert.Equal(["* 1 EXPUNGE", "* 2 EXISTS", "* 1 RECENT", "OK Move completed."], lines.Skip(1));
            Assert.Equal(["* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)"], await client.OkAsync("FETCH 1:* UID"));
        }
    }
}
