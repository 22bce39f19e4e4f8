using System.Text.RegularExpressions;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>MULTISEARCH (RFC 7377).</summary>
public sealed partial class MultiSearchTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
        foreach (var name in (string[])["Work", "Work/2025", "Work/2025/Q1", "Workshop", "Empty"]) await _client.OkAsync($"CREATE {name}");
        foreach (var name in (string[])["INBOX", "Work", "Work", "Work/2025", "Work/2025/Q1", "Workshop"]) await _client.AppendAsync(name, $"Subject: in {name}\r\n\r\nblue\r\n");
        await _client.AppendAsync("Workshop", "Subject: other\r\n\r\nred\r\n");
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.DisposeAsync();
    }

    [GeneratedRegex("UIDVALIDITY [1-9][0-9]*")]
    private static partial Regex Validity();

    private async Task<string[]> SearchAsync(string command)
    {
        await _client.SendLineAsync("t " + command);
        var lines = await _client.ReadAnswerAsync("t");
        Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
        return [.. lines.SkipLast(1).Select(line => Validity().Replace(line, "UIDVALIDITY n"))];
    }

    private static string Answer(string mailbox, string found) => $"* ESEARCH (TAG \"t\" MAILBOX {mailbox} UIDVALIDITY n) UID {found}";

    [Theory]
    [InlineData("ESEARCH IN (mailboxes Work) BODY blue", "Work: ALL 1:2")]
    [InlineData("ESEARCH IN (mailboxes (Work Workshop)) RETURN (COUNT) ALL", "Work: COUNT 2", "Workshop: COUNT 2")]
    [InlineData("ESEARCH IN (subtree Work) RETURN (MIN) ALL", "Work: MIN 1", "Work/2025: MIN 1", "Work/2025/Q1: MIN 1")]
    [InlineData("ESEARCH IN (SUBTREE-ONE work SUBTREE-ONE Work) ALL", "Work: ALL 1:2", "Work/2025: ALL 1")]
    [InlineData("ESEARCH IN (personal) TEXT red", "Workshop: ALL 2")]
    [InlineData("ESEARCH IN (inboxes) SUBJECT \"in INBOX\"", "INBOX: ALL 1")]
    [InlineData("ESEARCH IN (mailboxes (Nowhere Empty \"Other Users/x@example.com/y\") mailboxes Work mailboxes Work) RETURN () UID 2:*", "Work: ALL 2")]
    [InlineData("ESEARCH IN (mailboxes Empty) RETURN (COUNT) ALL")]
    public async Task Each_mailbox_with_matches_has_one_answer(string command, params string[] answers) =>
        Assert.Equal(answers.Select(static answer => Answer(answer.Split(": ")[0], answer.Split(": ")[1])), await SearchAsync(command));

    [Fact]
    public async Task Subscribed_mailboxes_are_searched()
    {
        await _client.OkAsync("SUBSCRIBE Work/2025");
        await _client.OkAsync("UNSUBSCRIBE INBOX");
        Assert.Equal([Answer("Work/2025", "ALL 1")], await SearchAsync("ESEARCH IN (subscribed) ALL"));
    }

    [Fact]
    public async Task The_selected_mailbox_is_searched_once_and_under_its_name_of_now()
    {
        await _client.OkAsync("SELECT Workshop");
        Assert.Equal([Answer("Workshop", "ALL 2")], await SearchAsync("ESEARCH 2"));
        Assert.Equal([Answer("Workshop", "COUNT 0")], await SearchAsync("ESEARCH RETURN (COUNT) FLAGGED"));
        Assert.Equal([Answer("Workshop", "ALL 1:2"), Answer("Work", "ALL 1:2")], await SearchAsync("ESEARCH IN (mailboxes (Work Workshop) selected) ALL"));
        Assert.Empty(await SearchAsync("ESEARCH IN (selected) RETURN (SAVE) 1"));
        Assert.Equal(["* SEARCH 1"], await SearchAsync("SEARCH $"));
        await using var other = await _node.LogInAsync();
        await other.OkAsync("RENAME Workshop Shed");
        Assert.Equal([Answer("Shed", "ALL 1")], await SearchAsync("ESEARCH IN (selected) $"));
    }

    [Fact]
    public async Task A_search_of_others_leaves_what_is_selected_and_what_is_recent_alone()
    {
        await _client.OkAsync("SELECT Empty");
        await SearchAsync("ESEARCH IN (personal) RETURN (COUNT) ALL");
        Assert.Contains("* 2 RECENT", await _client.OkAsync("SELECT Work"));
    }

    [Fact]
    public Task What_others_share_is_searched_where_it_may_be_read() => ImapScript.RunAsync(_node, """
        C: a SETACL Work bob@example.com lr
        S: a OK ~
        C: b SETACL Work/2025 bob@example.com l
        S: b OK ~
        Cbob: a ESEARCH IN (subtree "Other Users/alice@example.com/Work") RETURN (COUNT) ALL
        Sbob: * ESEARCH (TAG "a" MAILBOX "Other Users/alice@example.com/Work" UIDVALIDITY ~) UID COUNT 2
        Sbob: a OK ~
        Cbob: b ESEARCH IN (mailboxes ("Other Users/alice@example.com/Work" "Other Users/alice@example.com/INBOX")) ALL
        Sbob: * ESEARCH (TAG "b" MAILBOX "Other Users/alice@example.com/Work" UIDVALIDITY ~) UID ALL 1:2
        Sbob: b OK ~
        Cbob: c ESEARCH IN (personal) ALL
        Sbob: c OK ~
        """);

    [Theory]
    [InlineData("ESEARCH ALL")]
    [InlineData("ESEARCH IN (selected) ALL")]
    [InlineData("ESEARCH IN (mailboxes Work) 1")]
    [InlineData("ESEARCH IN (personal) NOT OR SEEN 1:*")]
    [InlineData("ESEARCH IN (mailboxes Work) RETURN (SAVE) ALL")]
    [InlineData("ESEARCH IN () ALL")]
    [InlineData("ESEARCH IN (mailboxes) ALL")]
    [InlineData("ESEARCH IN (mailboxes ()) ALL")]
    [InlineData("ESEARCH IN (selected-delayed) ALL")]
    [InlineData("ESEARCH IN (everywhere) ALL")]
    [InlineData("ESEARCH IN (personal)")]
    public async Task What_makes_no_sense_is_refused(string command)
    {
        await _client.SendLineAsync("t " + command);
        Assert.StartsWith("BAD ", (await _client.ReadAnswerAsync("t"))[^1], StringComparison.Ordinal);
    }
}
