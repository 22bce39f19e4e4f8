using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Search;

/// <summary>What the results that are kept up to date may cost.</summary>
public sealed class SearchContextsTests
{
    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task The_results_of_a_session_hold_so_many_messages_together(int beyond, bool may)
    {
        const int half = SearchContexts.MostMessages / 2;
        await using var user = await StoreFixture.OpenAsync();
        await using var mail = new UserMail(user.Store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));
        var messages = Enumerable.Range(1, half).Select(static i => new MessageRecord((uint)i, 1, SystemFlags.None, [], DateTimeOffset.UnixEpoch, 100, i) { SavedSeconds = 0 });
        var shared = new SharedMailbox(user.Inbox, MessageList.Of(messages), 1, new ChangeLog());
        var cursor = new MailboxCursor(readOnly: true);
        var uids = shared.Join(cursor);
        var contexts = new SelectedMailbox(shared, MailboxAccess.Own(mail, MailboxName.Inbox), cursor, uids, new EnabledExtensions()).Contexts;
        Assert.True(contexts.MayHave(sorted: false));
        contexts.Begin(TimeSpan.FromSeconds(10));
        contexts.Add(new WantedContext("a", ByUid: true, new AllKey(), [], []), [.. Enumerable.Range(1, half + beyond).Select(static i => (uint)i)]);
        Assert.Equal(may, contexts.MayHave(sorted: false));
    }
}
