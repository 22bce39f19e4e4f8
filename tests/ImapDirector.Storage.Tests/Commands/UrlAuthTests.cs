using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>URLAUTH (RFC 4467) and URL-PARTIAL (RFC 5550 section 2.8).</summary>
public sealed class UrlAuthTests : IAsyncLifetime
{
    private const string Message = "Subject: war\r\n\r\nSi vis pacem, para bellum.\r\n";
    private const string Own = "imap://alice%40example.com@mail.example.com/";

    private RunningNode _node = null!;
    private ImapClient _alice = null!;
    private ImapClient _bob = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync(static options => options with { SubmitUser = "Submission@example.com" });
        _alice = await _node.LogInAsync();
        _bob = await _node.LogInAsync("bob@example.com");
        await _alice.AppendAsync("INBOX", Message);
    }

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
        await _node.DisposeAsync();
    }

    /// <returns>What comes before the tagged answer, literals included, or that where it is all there is.</returns>
    private static async Task<string> AskAsync(ImapClient client, string command)
    {
        await client.SendLineAsync("t " + command);
        var lines = await client.ReadAnswerAsync("t");
        return lines.Count > 1 ? string.Join("\r\n", lines.SkipLast(1)) : lines[0];
    }

    private async Task<string> AuthorizeAsync(string rump)
    {
        var line = Assert.Single(await _alice.OkAsync($"GENURLAUTH \"{rump}\" INTERNAL"));
        Assert.StartsWith($"* GENURLAUTH \"{rump}:INTERNAL:01", line, StringComparison.Ordinal);
        return line["* GENURLAUTH \"".Length..^1];
    }

    private static string Found(string url, string content) => $"* URLFETCH \"{url}\" {{{content.Length}}}\r\n{content}";

    private static string Nothing(string url) => $"* URLFETCH \"{url}\" NIL";

    [Theory]
    [InlineData("INBOX/;UID=1", Message)]
    [InlineData("inbox/;uid=1/;section=TEXT", "Si vis pacem, para bellum.\r\n")]
    [InlineData("INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)", "Subject: war\r\n\r\n")]
    [InlineData("INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=3.3", "vis")]
    [InlineData("INBOX/;UID=1/;PARTIAL=37", "llum.\r\n")]
    [InlineData("INBOX/;UID=1/;SECTION=TEXT;EXPIRE=2099-12-31T00:00:00Z", "Si vis pacem, para bellum.\r\n")]
    [InlineData("INBOX/;UID=1/;SECTION=TEXT;EXPIRE=2099-12-31T23:59:59.25+02:00", "Si vis pacem, para bellum.\r\n")]
    public async Task Whoever_a_url_is_for_can_fetch_what_it_names(string path, string content)
    {
        var url = await AuthorizeAsync($"{Own}{path};URLAUTH=user+bob%40example.com");
        Assert.Equal(Found(url, content), await AskAsync(_bob, $"URLFETCH \"{url}\""));
        // For nobody else: not even for its owner.
        Assert.Equal(Nothing(url), await AskAsync(_alice, $"URLFETCH \"{url}\""));
    }

    [Theory]
    [InlineData("authuser", true, true)]
    [InlineData("anonymous", true, true)]
    [InlineData("user+bob", true, false)]
    [InlineData("user+BOB%40example.com", true, false)]
    [InlineData("user+carol@example.com", false, false)]
    [InlineData("submit+bob@example.com", false, true)]
    public async Task The_access_says_who_may(string access, bool bob, bool submission)
    {
        var url = await AuthorizeAsync($"{Own}INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=0.2;URLAUTH={access}");
        Assert.Equal(bob ? Found(url, "Si") : Nothing(url), await AskAsync(_bob, $"URLFETCH \"{url}\""));
        await using var submit = await _node.LogInAsync("submission@example.com");
        Assert.Equal(submission ? Found(url, "Si") : Nothing(url), await AskAsync(submit, $"URLFETCH \"{url}\""));
    }

    [Fact]
    public async Task Without_a_domain_the_user_of_a_url_is_of_the_sessions()
    {
        var url = await AuthorizeAsync("imap://alice;AUTH=*@mail.example.com:993/INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=0.2;URLAUTH=anonymous");
        Assert.Equal(Found(url, "Si"), await AskAsync(_bob, $"URLFETCH \"{url}\""));
        await using var other = await _node.LogInAsync("bob@example.org");
        Assert.Equal(Nothing(url), await AskAsync(other, $"URLFETCH \"{url}\""));
    }

    [Fact]
    public async Task A_url_that_was_changed_gives_nothing()
    {
        var url = await AuthorizeAsync($"{Own}INBOX/;UID=1/;SECTION=TEXT;EXPIRE=2099-12-31T00:00:00Z;URLAUTH=user+bob%40example.com");
        await _alice.AppendAsync("INBOX", "Subject: other\r\n\r\nsecret\r\n");
        var (token, withoutToken) = (url[(url.LastIndexOf(':') + 1)..], url[..url.LastIndexOf(':')]);
        string[] changed =
        [
            url.Replace("UID=1", "UID=2", StringComparison.Ordinal),
            url.Replace("/;SECTION=TEXT", "", StringComparison.Ordinal),
            url.Replace("2099", "2199", StringComparison.Ordinal),
            url.Replace(";EXPIRE=2099-12-31T00:00:00Z", "", StringComparison.Ordinal),
            url.Replace("user+bob%40example.com", "authuser", StringComparison.Ordinal),
            url.Replace("INBOX", "Drafts", StringComparison.Ordinal),
            url.Replace("alice", "bob", StringComparison.Ordinal),
            url.Replace("alice", "nobody", StringComparison.Ordinal),
            url.Replace("INTERNAL", "OTHER", StringComparison.Ordinal),
            url.Replace(":01", ":02", StringComparison.Ordinal),
            url.Replace("INBOX/", "INBOX;UIDVALIDITY=4294967295/", StringComparison.Ordinal),
            withoutToken, withoutToken + ":", withoutToken[..^9], $"{withoutToken}:{token[..^1]}", $"{withoutToken}:{token}0", $"{withoutToken}:{new string('0', token.Length)}",
            "imap://", "", "http://example.com/", "/INBOX/;UID=1", ";UID=1", "imap://alice@x/INBOX", $"imap://x/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL:{token}",
        ];
        foreach (var one in changed) Assert.Equal(Nothing(one), await AskAsync(_bob, $"URLFETCH \"{one}\""));
        Assert.Equal(Found(url, "Si vis pacem, para bellum.\r\n"), await AskAsync(_bob, $"URLFETCH \"{url}\""));
        // The letters of the token, and which mechanism it is, have no case.
        var capitals = $"{withoutToken}:{token.ToUpperInvariant()}".Replace("INTERNAL", "internal", StringComparison.Ordinal);
        Assert.Equal(Found(capitals, "Si vis pacem, para bellum.\r\n"), await AskAsync(_bob, $"URLFETCH \"{capitals}\""));
    }

    [Fact]
    public async Task Several_urls_are_answered_in_their_order()
    {
        var url = await AuthorizeAsync($"{Own}INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=0.2;URLAUTH=anonymous");
        var gone = await AuthorizeAsync($"{Own}INBOX/;UID=7;URLAUTH=anonymous");
        Assert.Equal($"* URLFETCH \"{gone}\" NIL \"{url}\" {{2}}\r\nSi \"{url}\" {{2}}\r\nSi", await AskAsync(_bob, $"URLFETCH \"{gone}\" \"{url}\" \"{url}\""));
        var both = await AskAsync(_alice, $"GENURLAUTH \"{Own}Drafts/;UID=1;URLAUTH=authuser\" INTERNAL \"{Own}Sent/;UID=1;URLAUTH=authuser\" internal");
        Assert.Matches("^\\* GENURLAUTH \"[^\"]*Drafts[^\"]*:INTERNAL:01[0-9a-f]{64}\" \"[^\"]*Sent[^\"]*:INTERNAL:01[0-9a-f]{64}\"$", both);
    }

    [Fact]
    public async Task A_url_whose_time_is_over_gives_nothing()
    {
        var url = await AuthorizeAsync($"{Own}INBOX/;UID=1;EXPIRE=2026-01-01T00:00:00Z;URLAUTH=anonymous");
        Assert.Equal(Nothing(url), await AskAsync(_bob, $"URLFETCH \"{url}\""));
    }

    [Fact]
    public async Task A_new_key_makes_the_urls_of_a_mailbox_void()
    {
        await _alice.AppendAsync("Sent", Message);
        var inbox = await AuthorizeAsync($"{Own}INBOX/;UID=1/;PARTIAL=0.2;URLAUTH=anonymous");
        var sent = await AuthorizeAsync($"{Own}Sent/;UID=1/;PARTIAL=0.2;URLAUTH=anonymous");
        Assert.StartsWith("OK [URLMECH INTERNAL] ", await AskAsync(_alice, "RESETKEY INBOX INTERNAL"), StringComparison.Ordinal);
        Assert.Equal(Nothing(inbox), await AskAsync(_bob, $"URLFETCH \"{inbox}\""));
        Assert.Equal(Found(sent, "Su"), await AskAsync(_bob, $"URLFETCH \"{sent}\""));
        Assert.NotEqual(inbox, await AuthorizeAsync($"{Own}INBOX/;UID=1/;PARTIAL=0.2;URLAUTH=anonymous"));
        Assert.StartsWith("OK ", await AskAsync(_alice, "RESETKEY"), StringComparison.Ordinal);
        Assert.Equal(Nothing(sent), await AskAsync(_bob, $"URLFETCH \"{sent}\""));
    }

    [Fact]
    public async Task A_mailbox_that_takes_the_name_of_another_does_not_take_its_urls()
    {
        await _alice.OkAsync("CREATE Work");
        await _alice.AppendAsync("Work", Message);
        var url = await AuthorizeAsync($"{Own}Work/;UID=1/;PARTIAL=0.2;URLAUTH=anonymous");
        await _alice.OkAsync("DELETE Work");
        await _alice.OkAsync("CREATE Work");
        await _alice.AppendAsync("Work", "Subject: secret\r\n\r\nx\r\n");
        Assert.Equal(Nothing(url), await AskAsync(_bob, $"URLFETCH \"{url}\""));
    }

    [Theory]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX/;UID=1;URLAUTH=anonymous\" OTHER", "BAD ")]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX/;UID=1\" INTERNAL", "BAD ")]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX;URLAUTH=anonymous\" INTERNAL", "BAD ")]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL:00\" INTERNAL", "BAD ")]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX/;UID=1;URLAUTH=user+\" INTERNAL", "BAD ")]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX/;UID=1;EXPIRE=soon;URLAUTH=anonymous\" INTERNAL", "BAD ")]
    [InlineData("GENURLAUTH \"imap://alice@x/INBOX/;UID=1;URLAUTH=anonymous\"", "BAD ")]
    [InlineData("GENURLAUTH", "BAD ")]
    [InlineData("GENURLAUTH \"imap://bob@x/INBOX/;UID=1;URLAUTH=anonymous\" INTERNAL", "NO [CANNOT] ")]
    [InlineData("GENURLAUTH \"imap://alice@x/Other%20Users/bob%40example.com/INBOX/;UID=1;URLAUTH=anonymous\" INTERNAL", "NO [CANNOT] ")]
    [InlineData("GENURLAUTH \"imap://alice@x/Nowhere/;UID=1;URLAUTH=anonymous\" INTERNAL", "NO [NONEXISTENT] ")]
    [InlineData("URLFETCH", "BAD ")]
    [InlineData("RESETKEY Nowhere", "NO [NONEXISTENT] ")]
    [InlineData("RESETKEY INBOX OTHER", "BAD ")]
    public async Task What_cannot_be_done_is_refused(string command, string answer) => Assert.StartsWith(answer, await AskAsync(_alice, command), StringComparison.Ordinal);

    [Fact]
    public async Task Keys_are_no_annotations_that_a_client_can_see_or_change()
    {
        await AuthorizeAsync($"{Own}INBOX/;UID=1;URLAUTH=anonymous");
        Assert.Equal("OK Getmetadata completed.", await AskAsync(_alice, "GETMETADATA (DEPTH infinity) INBOX (/private/comment)"));
        Assert.StartsWith("BAD ", await AskAsync(_alice, "GETMETADATA INBOX url-key"), StringComparison.Ordinal);
        Assert.StartsWith("BAD ", await AskAsync(_alice, "SETMETADATA INBOX (url-key NIL)"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_can_be_made_of_what_another_user_has_let_one_fetch()
    {
        var url = await AuthorizeAsync($"{Own}INBOX/;UID=1/;SECTION=TEXT;URLAUTH=user+bob@example.com");
        Assert.StartsWith("OK ", await AskAsync(_bob, $"APPEND INBOX CATENATE (URL \"{url}\")"), StringComparison.Ordinal);
        await _bob.OkAsync("SELECT INBOX");
        Assert.Contains("Si vis pacem", await AskAsync(_bob, "FETCH 1 BODY.PEEK[]"), StringComparison.Ordinal);
        Assert.StartsWith("NO [BADURL ", await AskAsync(_alice, $"APPEND INBOX CATENATE (URL \"{url}\")"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailbox_says_which_mechanisms_there_are() =>
        Assert.Contains(await _alice.OkAsync("EXAMINE INBOX"), static line => line.StartsWith("* OK [URLMECH INTERNAL] ", StringComparison.Ordinal));
}
