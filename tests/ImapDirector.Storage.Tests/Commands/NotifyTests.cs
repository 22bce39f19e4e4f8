using System.Text.RegularExpressions;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>NOTIFY (RFC 5465).</summary>
public sealed partial class NotifyTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;
    private ImapClient _other = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
        _other = await _node.LogInAsync();
        foreach (var name in (string[])["Lists", "Lists/a", "Lists/a/b", "Listserv"]) await _client.OkAsync($"CREATE {name}");
        await _client.AppendAsync("INBOX", "Subject: first\r\n\r\n");
        await _client.AppendAsync("Lists/a", "Subject: in a\r\n\r\n");
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _other.DisposeAsync();
        await _node.DisposeAsync();
    }

    [GeneratedRegex("UIDVALIDITY [1-9][0-9]*|HIGHESTMODSEQ [1-9][0-9]*")]
    private static partial Regex Numbers();

    private async Task<string> HeardAsync() => Numbers().Replace(await _client.ReadLineAsync() ?? "(closed)", static match => match.Value.Split(' ')[0] + " n");

    /// <summary>What was told before the answer to a command that changes nothing.</summary>
    private async Task<string[]> TellsAsync()
    {
        await _client.SendLineAsync("n NOOP");
        return [.. (await _client.ReadAnswerAsync("n")).SkipLast(1).Select(static line => Numbers().Replace(line, static match => match.Value.Split(' ')[0] + " n"))];
    }

    [Fact]
    public async Task Other_mailboxes_are_told_of_between_commands()
    {
        Assert.Empty(await _client.OkAsync("NOTIFY SET (subtree Lists (MessageNew MessageExpunge FlagChange))"));
        await _other.AppendAsync("Lists/a/b", "Subject: x\r\n\r\n");
        Assert.Equal("* STATUS Lists/a/b (MESSAGES 1 UIDNEXT 2 UIDVALIDITY n UNSEEN 1)", await HeardAsync());
        await _other.AppendAsync("Listserv", "Subject: not below it\r\n\r\n");
        await _other.OkAsync("SELECT Lists/a/b");
        await _other.OkAsync("STORE 1 +FLAGS (\\Seen \\Deleted)");
        Assert.Equal("* STATUS Lists/a/b (MESSAGES 1 UIDNEXT 2 UIDVALIDITY n UNSEEN 0)", await HeardAsync());
        await _other.OkAsync("EXPUNGE");
        Assert.Equal("* STATUS Lists/a/b (MESSAGES 0 UIDNEXT 2 UIDVALIDITY n UNSEEN 0)", await HeardAsync());
        await _client.OkAsync("ENABLE CONDSTORE");
        await _other.OkAsync("SELECT Lists/a");
        await _other.OkAsync("COPY 1 Lists");
        Assert.Equal("* STATUS Lists (MESSAGES 1 UIDNEXT 2 UIDVALIDITY n UNSEEN 1 HIGHESTMODSEQ n)", await HeardAsync());
        Assert.Empty(await _client.OkAsync("NOTIFY NONE"));
        await _other.OkAsync("MOVE 1 Lists");
        Assert.Empty(await TellsAsync());
    }

    [Fact]
    public async Task With_STATUS_it_is_told_what_there_is()
    {
        await _client.OkAsync("SELECT INBOX");
        Assert.Equal(["* STATUS Lists/a (MESSAGES 1 UIDNEXT 2 UIDVALIDITY n UNSEEN 1)", "* STATUS Lists/a/b (MESSAGES 0 UIDNEXT 1 UIDVALIDITY n UNSEEN 0)"],
            (await _client.OkAsync("NOTIFY SET STATUS (mailboxes Lists NONE) (selected (MessageNew MessageExpunge)) (subtree (Lists INBOX) (MessageNew MessageExpunge)) (personal (MailboxName))"))
                .Select(static line => Numbers().Replace(line, "UIDVALIDITY n")));
    }

    [Fact]
    public async Task The_selected_mailbox_is_told_of_at_once()
    {
        await _client.OkAsync("SELECT INBOX");
        await _client.OkAsync("NOTIFY SET (selected (MessageNew (UID BODY[HEADER.FIELDS (Subject)]) MessageExpunge))");
        await _other.AppendAsync("INBOX", "Subject: second\r\n\r\n");
        Assert.Equal("* 2 EXISTS", await HeardAsync());
        Assert.Equal("* 2 RECENT", await HeardAsync());
        Assert.Equal("* 2 FETCH (UID 2 BODY[HEADER.FIELDS (Subject)] {19}", await HeardAsync());
        Assert.Equal("Subject: second", await HeardAsync());
        Assert.Equal("", await HeardAsync());
        Assert.Equal(")", await HeardAsync());
        await _other.OkAsync("SELECT INBOX");
        // Flags were not asked for.
        await _other.OkAsync("STORE 1 +FLAGS (\\Deleted)");
        await _other.OkAsync("EXPUNGE");
        Assert.Equal("* 1 EXPUNGE", await HeardAsync());
        Assert.Equal("* 1 RECENT", await HeardAsync());
        await _other.OkAsync("STORE 1 +FLAGS (\\Answered)");
        Assert.Empty(await TellsAsync());
        Assert.Equal(["* SEARCH 1"], await _client.OkAsync("SEARCH UNSEEN"));
        await _client.OkAsync("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))");
        await _other.OkAsync("STORE 1 -FLAGS (\\Answered)");
        Assert.Equal("* 1 FETCH (FLAGS (\\Recent))", await HeardAsync());
    }

    [Fact]
    public async Task Delayed_expunges_wait_for_a_command_that_may_tell_them()
    {
        await _client.AppendAsync("INBOX", "Subject: second\r\n\r\n");
        await _client.OkAsync("SELECT INBOX");
        await _client.OkAsync("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))");
        await _other.OkAsync("SELECT INBOX");
        await _other.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await _other.OkAsync("EXPUNGE");
        await _other.AppendAsync("INBOX", "Subject: third\r\n\r\n");
        Assert.Equal("* 3 EXISTS", await HeardAsync());
        Assert.DoesNotContain("EXPUNGE", string.Concat(await _client.OkAsync("FETCH 2 UID")), StringComparison.Ordinal);
        Assert.Contains("* 1 EXPUNGE", await TellsAsync());
    }

    [Fact]
    public async Task Names_subscriptions_and_annotations_are_told_of()
    {
        await _client.OkAsync("NOTIFY SET (mailboxes Listserv NONE) (personal (MailboxName SubscriptionChange MailboxMetadataChange)) (mailboxes x (ServerMetadataChange))");
        await _other.OkAsync("CREATE New");
        Assert.Equal("* LIST () \"/\" New", await HeardAsync());
        await _other.OkAsync("RENAME Lists Gone");
        Assert.Equal("* LIST () \"/\" Gone (\"OLDNAME\" (Lists))", await HeardAsync());
        Assert.Equal("* LIST () \"/\" Gone/a (\"OLDNAME\" (Lists/a))", await HeardAsync());
        Assert.Equal("* LIST () \"/\" Gone/a/b (\"OLDNAME\" (Lists/a/b))", await HeardAsync());
        await _other.OkAsync("DELETE New");
        Assert.Equal("* LIST (\\NonExistent) \"/\" New", await HeardAsync());
        await _other.OkAsync("SUBSCRIBE Gone/a");
        Assert.Equal("* LIST (\\Subscribed) \"/\" Gone/a", await HeardAsync());
        await _other.OkAsync("UNSUBSCRIBE Gone/a");
        Assert.Equal("* LIST () \"/\" Gone/a", await HeardAsync());
        await _other.OkAsync("SETMETADATA INBOX (/shared/comment \"x\" /private/comment \"y\")");
        Assert.Equal("* METADATA INBOX /shared/comment /private/comment", await HeardAsync());
        await _other.OkAsync("SETMETADATA \"\" (/private/vendor/x \"y\")");
        Assert.Equal("* METADATA \"\" /private/vendor/x", await HeardAsync());
        await _other.OkAsync("DELETE Listserv");
        await _other.AppendAsync("INBOX", "Subject: nobody asked\r\n\r\n");
        Assert.Empty(await TellsAsync());
    }

    [Fact]
    public async Task In_IDLE_other_mailboxes_are_told_of_as_well()
    {
        await _client.OkAsync("NOTIFY SET (subscribed (MessageNew MessageExpunge)) (mailboxes Lists/a (MessageNew MessageExpunge))");
        await _client.SendLineAsync("i IDLE");
        Assert.Equal("+ idling", await _client.ReadLineAsync());
        await _other.AppendAsync("Lists", "Subject: not subscribed\r\n\r\n");
        await _other.OkAsync("SUBSCRIBE Listserv");
        await _other.AppendAsync("Listserv", "Subject: subscribed\r\n\r\n");
        Assert.StartsWith("* STATUS Listserv (MESSAGES 1 ", await HeardAsync(), StringComparison.Ordinal);
        await _other.AppendAsync("Lists/a", "Subject: named\r\n\r\n");
        Assert.StartsWith("* STATUS Lists/a (MESSAGES 2 ", await HeardAsync(), StringComparison.Ordinal);
        await _client.SendLineAsync("DONE");
        Assert.Equal(["OK Idle completed."], await _client.ReadAnswerAsync("i"));
    }

    [Fact]
    public async Task A_command_that_comes_in_pieces_is_read_while_others_are_told_of()
    {
        await _client.OkAsync("NOTIFY SET (mailboxes Lists (MessageNew MessageExpunge))");
        for (var i = 0; i < 20; i++)
        {
            await _client.SendAsync("n STATUS IN");
            await _other.AppendAsync("Lists", "Subject: x\r\n\r\n");
            await _client.SendAsync("BOX (MESSAGES)\r\n");
            var lines = await _client.ReadAnswerAsync("n");
            Assert.Contains("* STATUS INBOX (MESSAGES 1)", lines);
            Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
        }
        await _client.OkAsync("COMPRESS DEFLATE");
    }

    [Fact]
    public async Task What_comes_in_no_bounded_time_ends_it_instead_of_memory()
    {
        await _client.OkAsync("NOTIFY SET (personal (SubscriptionChange))");
        // A command that is not finished keeps the session from telling; that it has begun is shown by what it asks for.
        await _client.SendLineAsync("a UNSUBSCRIBE {7}");
        Assert.StartsWith("+ ", await _client.ReadLineAsync(), StringComparison.Ordinal);
        for (var i = 0; i < 600; i++)
        {
            await _other.OkAsync("SUBSCRIBE Lists");
            await _other.OkAsync("UNSUBSCRIBE Lists");
        }
        await _client.SendLineAsync("nowhere");
        Assert.Equal(["* OK [NOTIFICATIONOVERFLOW] Too much has happened: ask for it anew.", "OK Unsubscribe completed."], await _client.ReadAnswerAsync("a"));
        await _other.OkAsync("SUBSCRIBE Lists");
        Assert.Empty(await TellsAsync());
    }

    [Fact]
    public async Task An_unknown_event_is_refused_and_what_was_asked_for_stays()
    {
        await _client.OkAsync("NOTIFY SET (mailboxes Lists (MessageNew MessageExpunge))");
        await _client.SendLineAsync("a NOTIFY SET (personal (AnnotationChange MessageNew MessageExpunge))");
        Assert.StartsWith("NO [BADEVENT (MessageNew MessageExpunge FlagChange ", (await _client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        await _other.AppendAsync("Lists", "Subject: x\r\n\r\n");
        Assert.StartsWith("* STATUS Lists ", await HeardAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_selected_mailbox_that_is_deleted_ends_the_session_at_once()
    {
        await _client.OkAsync("SELECT Listserv");
        await _client.OkAsync("NOTIFY SET (selected (MessageNew MessageExpunge))");
        await _other.OkAsync("DELETE Listserv");
        Assert.StartsWith("* BYE ", await HeardAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NOTIFY")]
    [InlineData("NOTIFY SET")]
    [InlineData("NOTIFY SET STATUS")]
    [InlineData("NOTIFY NONE x")]
    [InlineData("NOTIFY SET (personal)")]
    [InlineData("NOTIFY SET (personal ())")]
    [InlineData("NOTIFY SET (nowhere (MailboxName))")]
    [InlineData("NOTIFY SET (mailboxes (MailboxName))")]
    [InlineData("NOTIFY SET (personal (MessageNew))")]
    [InlineData("NOTIFY SET (personal (MessageExpunge))")]
    [InlineData("NOTIFY SET (personal (FlagChange))")]
    [InlineData("NOTIFY SET (selected (MailboxName))")]
    [InlineData("NOTIFY SET (selected NONE) (selected-delayed NONE)")]
    [InlineData("NOTIFY SET (personal (MessageNew (UID) MessageExpunge))")]
    [InlineData("NOTIFY SET (selected (MessageNew () MessageExpunge))")]
    [InlineData("ESEARCH IN (selected-delayed) ALL")]
    public async Task What_the_grammar_does_not_have_is_BAD(string command)
    {
        await _client.OkAsync("SELECT INBOX");
        await _client.SendLineAsync("a " + command);
        Assert.StartsWith("BAD ", (await _client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
    }
}
