using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>ESEARCH (RFC 4731), SEARCHRES (RFC 5182), WITHIN (RFC 5032), PARTIAL (RFC 9394).</summary>
public sealed class ExtendedSearchTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
        for (var i = 1; i <= 5; i++) await _client.AppendAsync("INBOX", $"Subject: {i}\r\n\r\nx\r\n", i < 4 ? "(\\Seen) \"01-Jan-2001 00:00:00 +0000\" " : "");
        await _client.OkAsync("SELECT INBOX");
        await _client.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await _client.OkAsync("EXPUNGE");
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Theory]
    [InlineData("SEARCH RETURN () ALL", " ALL 1:4")]
    [InlineData("SEARCH RETURN (ALL) SEEN", " ALL 1:2")]
    [InlineData("UID SEARCH RETURN (ALL) SEEN", " UID ALL 2:3")]
    [InlineData("SEARCH RETURN (MIN MAX COUNT) ALL", " MIN 1 MAX 4 COUNT 4")]
    [InlineData("UID SEARCH RETURN (MAX) ALL", " UID MAX 5")]
    [InlineData("SEARCH RETURN (MIN MAX ALL COUNT) FLAGGED", " COUNT 0")]
    [InlineData("SEARCH RETURN (ALL) FLAGGED", "")]
    [InlineData("UID SEARCH RETURN (PARTIAL 2:3) ALL", " UID PARTIAL (2:3 3:4)")]
    [InlineData("UID SEARCH RETURN (COUNT PARTIAL -1:-3) ALL", " UID COUNT 4 PARTIAL (-1:-3 3:5)")]
    [InlineData("SEARCH RETURN (PARTIAL 9:5) ALL", " PARTIAL (5:9 NIL)")]
    [InlineData("SEARCH RETURN (MIN MAX) MODSEQ 2", " MIN 1 MAX 4 MODSEQ 6")]
    [InlineData("SEARCH RETURN (COUNT) OLDER 86400", " COUNT 2")]
    [InlineData("SEARCH RETURN (ALL) YOUNGER 86400", " ALL 3:4")]
    [InlineData("SEARCH RETURN (COUNT) SAVEDSINCE 1-Jan-2020", " COUNT 4")]
    public async Task The_answer_says_what_was_asked_for(string command, string answer)
    {
        await _client.SendLineAsync("tag-1 " + command);
        var lines = await _client.ReadAnswerAsync("tag-1");
        Assert.Contains("* ESEARCH (TAG \"tag-1\")" + answer, lines);
        Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public Task What_a_search_saved_stands_for_messages_until_they_are_expunged() => ImapScript.RunAsync(_client, """
        C: a SEARCH RETURN (SAVE) UNSEEN
        S: a OK ~
        C: b FETCH $ (UID)
        S: * 3 FETCH (UID 4)
        S: * 4 FETCH (UID 5)
        S: b OK ~
        C: c UID STORE $ +FLAGS.SILENT (\Flagged)
        S: c OK ~
        C: d UID SEARCH RETURN (SAVE COUNT) NOT $
        S: * ESEARCH (TAG "d") UID COUNT 2
        S: d OK ~
        C: e SEARCH OR UID $ 4
        S: * SEARCH 1 2 4
        S: e OK ~
        C: f SEARCH RETURN (SAVE MIN) ALL
        S: * ESEARCH (TAG "f") MIN 1
        S: f OK ~
        C: g UID COPY $ Trash
        S: g OK [COPYUID ~ 2 1] ~
        C: h UID MOVE $ Trash
        S: * OK [COPYUID ~ 2 2] ~
        S: * 1 EXPUNGE
        S: * 3 RECENT
        S: h OK ~
        C: i FETCH $ (UID)
        S: i OK ~
        C: j SEARCH RETURN (SAVE) CHARSET X-KLINGON ALL
        S: j NO [BADCHARSET ~
        """);

    [Theory]
    [InlineData("SEARCH RETURN (MIN")]
    [InlineData("SEARCH RETURN (NONE) ALL")]
    [InlineData("SEARCH RETURN (PARTIAL 0:1) ALL")]
    [InlineData("SEARCH RETURN (PARTIAL 1:-1) ALL")]
    [InlineData("SEARCH RETURN (ALL PARTIAL 1:2) ALL")]
    [InlineData("SEARCH RETURN (ALL)")]
    [InlineData("SEARCH OLDER 0")]
    [InlineData("FETCH $,1 (UID)")]
    public async Task What_the_grammar_does_not_have_is_BAD(string command) =>
        Assert.StartsWith("BAD ", (await _client.CommandAsync(command))[^1], StringComparison.Ordinal);
}
