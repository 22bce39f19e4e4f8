using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>SEARCH=FUZZY (RFC 6203).</summary>
public sealed class FuzzySearchTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
        // At the same time, as seen by who sorts them.
        const string arrival = "\"01-Jun-2026 12:00:00 +0000\" ";
        await _client.AppendAsync("INBOX", "Subject: IMAP break\r\nFrom: a@example.com\r\n\r\nnothing\r\n", arrival);
        await _client.AppendAsync("INBOX", "Subject: Lunch\r\nFrom: a@example.com\r\n\r\nat noon\r\n", arrival);
        await _client.AppendAsync("INBOX", "Subject: broken IMAP, please break\r\nFrom: b@example.com\r\n\r\nimap\r\n", arrival);
        await _client.AppendAsync("INBOX", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from the imap people\r\nFrom: b@example.com\r\n\r\nred blue\r\ngreen\r\n", arrival);
        await _client.OkAsync("SELECT INBOX");
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.DisposeAsync();
    }

    private async Task<string> AskAsync(string command)
    {
        await _client.SendLineAsync("t " + command);
        return (await _client.ReadAnswerAsync("t"))[0];
    }

    [Theory]
    // As it is written 100, all words 90, half of them 45.
    [InlineData("SEARCH RETURN (ALL RELEVANCY) FUZZY SUBJECT \"IMAP break\"", "ALL 1,3:4 RELEVANCY (100 90 45)")]
    [InlineData("SEARCH RETURN (ALL RELEVANCY) FUZZY SUBJECT \" imap  BREAK! \"", "ALL 1,3:4 RELEVANCY (90 90 45)")]
    [InlineData("SEARCH RETURN (RELEVANCY) FUZZY (SUBJECT \"IMAP break\" FROM b@example.com)", "RELEVANCY (80 95 72)")]
    [InlineData("SEARCH RETURN (COUNT RELEVANCY) FUZZY SUBJECT \"IMAP break\" FROM a@example.com", "COUNT 1 RELEVANCY (100)")]
    // Less than half of the words is too little.
    [InlineData("SEARCH RETURN (ALL RELEVANCY) FUZZY TEXT \"imap noon dinner\"", "")]
    [InlineData("SEARCH RETURN (ALL RELEVANCY) FUZZY TEXT \"lunch noon dinner\"", "ALL 2 RELEVANCY (60)")]
    // Words may be anywhere: in header and body, and in the middle of others.
    [InlineData("SEARCH RETURN (ALL RELEVANCY) FUZZY TEXT \"noon lunch\"", "ALL 2 RELEVANCY (90)")]
    [InlineData("SEARCH RETURN (ALL RELEVANCY) FUZZY BODY \"een lue\"", "ALL 4 RELEVANCY (90)")]
    [InlineData("SEARCH CHARSET UTF-8 RETURN (ALL) ALL", null)]
    [InlineData("SEARCH RETURN (MIN MAX RELEVANCY) FUZZY SUBJECT imap", "MIN 1 MAX 4 RELEVANCY (100 100 100)")]
    [InlineData("SEARCH RETURN (PARTIAL 2:3 RELEVANCY) FUZZY SUBJECT \"IMAP break\"", "PARTIAL (2:3 3:4) RELEVANCY (90 45)")]
    [InlineData("SEARCH RETURN (PARTIAL 9:10 RELEVANCY) FUZZY SUBJECT imap", "PARTIAL (9:10 NIL) RELEVANCY ()")]
    [InlineData("SEARCH RETURN (ALL RELEVANCY) NOT FUZZY SUBJECT \"imap break\"", "ALL 2 RELEVANCY (100)")]
    [InlineData("SEARCH RETURN (ALL RELEVANCY) OR FUZZY SUBJECT \"imap break now\" FLAGGED", "ALL 1,3 RELEVANCY (60 60)")]
    // What is not a text is taken to the letter.
    [InlineData("SEARCH RETURN (ALL) FUZZY UNSEEN 2 FUZZY SINCE 1-Jan-2000", "ALL 2")]
    [InlineData("SEARCH RETURN (ALL) FUZZY HEADER X-None \"\"", "")]
    [InlineData("SEARCH RETURN (ALL) FUZZY SUBJECT \"?!\"", "")]
    [InlineData("SORT RETURN (ALL RELEVANCY) (RELEVANCY) UTF-8 FUZZY SUBJECT \"IMAP break\"", "ALL 1,3,4 RELEVANCY (100 90 45)")]
    [InlineData("SORT RETURN (ALL RELEVANCY) (REVERSE RELEVANCY) UTF-8 FUZZY SUBJECT \"IMAP break\"", "ALL 4,3,1 RELEVANCY (45 90 100)")]
    [InlineData("SORT RETURN (ALL RELEVANCY) (RELEVANCY REVERSE ARRIVAL FROM) UTF-8 FUZZY FROM example.com", "ALL 1,2,3,4 RELEVANCY (100 100 100 100)")]
    [InlineData("SORT RETURN (ALL RELEVANCY) (RELEVANCY REVERSE FROM) UTF-8 FUZZY FROM example.com", "ALL 3,4,1,2 RELEVANCY (100 100 100 100)")]
    public async Task A_fuzzy_search_finds_words_and_scores_them(string command, string? found)
    {
        if (found is null) Assert.StartsWith("BAD ", await AskAsync(command), StringComparison.Ordinal);
        else Assert.Equal(found.Length == 0 ? "* ESEARCH (TAG \"t\")" : $"* ESEARCH (TAG \"t\") {found}", await AskAsync(command));
    }

    [Theory]
    [InlineData("SEARCH RETURN (RELEVANCY) SUBJECT imap", "BAD ")]
    [InlineData("SORT (RELEVANCY) UTF-8 SUBJECT imap", "BAD ")]
    [InlineData("SORT RETURN (RELEVANCY) (DATE) UTF-8 ALL", "BAD ")]
    [InlineData("SORT (DATE RELEVANCY) UTF-8 FUZZY SUBJECT imap", "NO [CANNOT] ")]
    [InlineData("SEARCH FUZZY", "BAD ")]
    [InlineData("THREAD RELEVANCY UTF-8 FUZZY SUBJECT imap", "BAD ")]
    public async Task A_score_that_is_not_there_is_refused(string command, string answer) =>
        Assert.StartsWith(answer, await AskAsync(command), StringComparison.Ordinal);

    [Fact]
    public async Task Plain_search_and_thread_take_the_key_too()
    {
        Assert.Equal("* SEARCH 1 3 4", await AskAsync("SEARCH FUZZY SUBJECT \"IMAP break\""));
        Assert.Equal("* THREAD (1)(3)(4)", await AskAsync("THREAD REFERENCES UTF-8 FUZZY SUBJECT \"IMAP break\""));
        Assert.StartsWith("* ESEARCH (TAG \"t\" MAILBOX INBOX ", await AskAsync("ESEARCH IN (selected) RETURN (ALL RELEVANCY) FUZZY SUBJECT \"IMAP break\""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_deep_a_nest_of_fuzzy_keys_is_refused() =>
        Assert.StartsWith("BAD ", await AskAsync("SEARCH " + string.Concat(Enumerable.Repeat("FUZZY ", 200)) + "ALL"), StringComparison.Ordinal);

    [Fact]
    public async Task The_text_index_leaves_what_has_half_of_the_words()
    {
        await _client.OkAsync("CREATE Many");
        for (var i = 0; i < TextIndexing.WorthIt + 10; i++) await _client.AppendAsync("Many", $"Subject: number {i}\r\n\r\n{(i % 50 == 7 ? "seventh heaven" : i % 70 == 9 ? "heaven only" : "plain")}\r\n");
        await _client.OkAsync("SELECT Many");
        const string command = "SEARCH RETURN (ALL RELEVANCY) FUZZY BODY \"heaven, seventh\"";
        const string expected = "* ESEARCH (TAG \"t\") ALL 8,10,58,80,108,150,158,208 RELEVANCY (90 45 90 45 90 45 90 90)";
        // The first look makes the index begin; what it has read is taken from it by and by.
        for (var look = 0; look < 20; look++)
        {
            Assert.Equal(expected, await AskAsync(command));
            await Task.Delay(50);
        }
    }

    [Fact]
    public async Task An_order_by_score_cannot_be_kept_up_to_date()
    {
        await _client.SendLineAsync("t SORT RETURN (UPDATE ALL) (RELEVANCY) UTF-8 FUZZY SUBJECT imap");
        Assert.Equal("* NO [NOUPDATE \"t\"] ", (await _client.ReadAnswerAsync("t"))[0][..20]);
    }
}
