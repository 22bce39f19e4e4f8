using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Search;

/// <summary>The text index only narrows down: with it a search finds what it finds without.</summary>
public sealed class TextIndexTests
{
    private static readonly string[] Words = ["alpha", "Beta", "gr\u00fc\u00dfe", "GR\u00dc\u00dfE", "\u4e2d\u6587\u5b57", "a\"b", "x AND y", "100%", "\ud801\udc28\ud801\udc29\ud801\udc2a", "tab\tstop", "ab"];

    private static string Message(int number)
    {
        var text = string.Join(' ', Words.Where((_, i) => (number >> i & 1) != 0));
        var body = number % 3 == 0 ? Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) : text;
        return $"From: sender{number % 7}@example.com\r\nSubject: =?utf-8?b?{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}?=\r\nX-Number: no. {number}\r\nMIME-Version: 1.0\r\n"
            + $"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {(number % 3 == 0 ? "base64" : "8bit")}\r\n\r\n{body}\r\n";
    }

    [Fact]
    public async Task The_index_is_asked_about_few_of_many_texts_and_not_at_all_when_the_time_is_over()
    {
        await using var user = await StoreFixture.OpenAsync();
        await using var mail = new UserMail(user.Store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));
        var filters = new TextFilters(mail, user.Inbox.Id, TextIndexing.WorthIt, CancellationToken.None);
        Assert.Equal([.. Enumerable.Repeat(true, TextFilters.Most), false], Enumerable.Range(0, TextFilters.Most + 1).Select(i => filters.Of($"text{i}") is not null));
        Assert.Null(new TextFilters(mail, user.Inbox.Id, TextIndexing.WorthIt - 1, CancellationToken.None).Of("text"));
        Assert.Throws<OperationCanceledException>(() => new TextFilters(mail, user.Inbox.Id, TextIndexing.WorthIt, new CancellationToken(canceled: true)).Of("text"));
    }

    [Fact]
    public async Task What_the_index_leaves_holds_everything_that_is_there()
    {
        await using var user = await StoreFixture.OpenAsync();
        var contents = new Dictionary<long, int>();
        for (var i = 0; i < 400; i++) contents[(await user.AddAsync("INBOX", Encoding.UTF8.GetBytes(Message(i * 37 % 2048)))).ContentId] = i * 37 % 2048;
        Assert.Equal(400, user.Store.MissingTexts(user.Inbox.Id, int.MaxValue, CancellationToken.None).Count);
        await user.Store.AddTextsAsync([.. contents.Keys.Select(id => IndexedTextReader.Read(user.Store, id))], CancellationToken.None);
        Assert.Empty(user.Store.MissingTexts(user.Inbox.Id, int.MaxValue, CancellationToken.None));

        string[] needles = [.. Words, "ALPHA", "gr\u00dc\u00dfe", "sender3@", "no. 12", "x-number: no", "subject: alp", "lpha be", "nowhere at all", "\"", "\" OR \""];
        foreach (var needle in needles)
        {
            var filter = TextFilter.Of(needle, user.Store, [], CancellationToken.None);
            var matcher = new SubstringMatcher(needle);
            foreach (var message in user.Store.LoadMessages(user.Inbox.Id))
            {
                using var candidate = new SearchCandidate(user.Store, message, 1, recent: false);
                var isThere = MessageText.HeaderContains(candidate.Header, matcher) || MessageText.BodyContains(candidate.Content, candidate.Summary, matcher, CancellationToken.None);
                if (isThere) Assert.True(filter?.Leaves(message) != false, $"{needle} in {contents[message.ContentId]}");
            }
            Assert.Equal(needle.EnumerateRunes().Count() < 3, filter is null);
        }
        Assert.DoesNotContain(user.Store.LoadMessages(user.Inbox.Id), TextFilter.Of("nowhere at all", user.Store, [], CancellationToken.None)!.Leaves);
    }

    [Theory]
    [InlineData('y', 2 * 1024 * 1024)]
    // Folded, one letter becomes eighteen.
    [InlineData('\ufdfa', 200 * 1024)]
    public async Task A_text_too_long_for_the_index_is_always_looked_at(char letter, int count)
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", Encoding.UTF8.GetBytes("Subject: x\r\n\r\n" + new string(letter, count) + " needle\r\n"));
        var text = IndexedTextReader.Read(user.Store, message.ContentId);
        Assert.InRange(text.Text.Length, 1, 1024 * 1024);
        Assert.False(text.IsComplete);
        await user.Store.AddTextsAsync([text], CancellationToken.None);
        Assert.True(TextFilter.Of("needle", user.Store, [], CancellationToken.None)!.Leaves(message));
    }

    [Fact]
    public async Task What_is_expunged_leaves_the_index_and_what_is_not_known_is_looked_at()
    {
        await using var user = await StoreFixture.OpenAsync();
        var first = await user.AddAsync("INBOX", "Subject: needle\r\n\r\n");
        var second = await user.AddAsync("INBOX", "Subject: needle\r\n\r\n");
        await user.Store.AddTextsAsync([IndexedTextReader.Read(user.Store, first.ContentId)], CancellationToken.None);
        Assert.Equal([first.ContentId], user.Store.TextCandidates("\"NEE\"", CancellationToken.None));
        var filter = TextFilter.Of("needle", user.Store, user.Store.MissingTexts(user.Inbox.Id, int.MaxValue, CancellationToken.None), CancellationToken.None)!;
        Assert.True(filter.Leaves(first) && filter.Leaves(second));
        await user.Store.ExpungeAsync(user.Inbox.Id, [first.Uid], CancellationToken.None);
        Assert.Empty(user.Store.TextCandidates("\"NEE\"", CancellationToken.None));
        // A content that went while its text was read is not added any more.
        await user.Store.AddTextsAsync([new IndexedText(first.ContentId, "NEEDLE", true)], CancellationToken.None);
        Assert.Empty(user.Store.TextCandidates("\"NEE\"", CancellationToken.None));
    }

    [Fact]
    public async Task A_mailbox_that_is_searched_is_indexed_in_the_background()
    {
        await using var user = await StoreFixture.OpenAsync();
        for (var i = 0; i < 130; i++) await user.AddAsync("INBOX", Message(i));
        await using var mail = new UserMail(user.Store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));
        mail.TextIndexing.Want(user.Inbox.Id);
        mail.TextIndexing.Want(user.Inbox.Id);
        await mail.TextIndexing.WaitAsync();
        Assert.Empty(user.Store.MissingTexts(user.Inbox.Id, int.MaxValue, CancellationToken.None));
    }
}
