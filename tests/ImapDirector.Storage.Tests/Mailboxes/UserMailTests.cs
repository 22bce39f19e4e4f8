using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Mailboxes;

public sealed class UserMailTests
{
    private static UserMail Open(UserStore store) => new(store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));

    [Fact]
    public async Task What_a_large_expunge_leaves_is_removed_in_the_background_and_after_a_restart()
    {
        await using var user = await StoreFixture.OpenAsync();
        var contents = new List<long>();
        for (var i = 0; i < 3 * ContentTable.MaxRemovedAtOnce; i++) contents.Add((await user.AddAsync("INBOX", "Subject: x\r\n\r\n", new FlagList(SystemFlags.Deleted, []))).ContentId);
        var first = await user.AddAsync("INBOX", "Subject: kept\r\n\r\n");
        uint[] uids = [.. user.Store.LoadMessages(user.Inbox.Id).Select(static message => message.Uid)];
        await user.ExpungeDeletedAsync(user.Inbox.Id, uids);
        Assert.True(user.Store.HasUnreferencedContents);

        await user.ReopenAsync();
        Assert.True(user.Store.HasUnreferencedContents);
        await using var mail = Open(user.Store);
        await mail.ContentRemoval.WaitAsync();
        Assert.False(user.Store.HasUnreferencedContents);
        Assert.All(contents, content => Assert.Throws<StoreException>(() => user.Store.Contents.Open(content)));
        Assert.NotEmpty(user.Content(first));
    }

    [Fact]
    public async Task A_mailbox_that_was_left_is_up_to_date_for_whoever_comes_back()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "Subject: 1\r\n\r\n");
        await using var mail = Open(user.Store);
        var (left, before) = (await SelectAsync(mail, "INBOX"))!.Value;
        Assert.Equal([1u], before);
        await mail.CloseAsync(left.Mailbox, left.Cursor);

        var (other, _) = (await SelectAsync(mail, "Trash"))!.Value;
        var moved = await mail.CopyAsync(left.Mailbox, [1], new MailboxName("Trash"), move: true);
        Assert.Single(moved.Copies);
        var (again, after) = (await SelectAsync(mail, "INBOX"))!.Value;
        Assert.Empty(after);
        Assert.Same(left.Mailbox, again.Mailbox);
        await mail.CloseAsync(again.Mailbox, again.Cursor);
        await mail.CloseAsync(other.Mailbox, other.Cursor);

        await mail.TrimAsync(TimeSpan.Zero);
        var (loaded, trash) = (await SelectAsync(mail, "Trash"))!.Value;
        Assert.NotSame(other.Mailbox, loaded.Mailbox);
        Assert.Equal([1u], trash);
        await mail.CloseAsync(loaded.Mailbox, loaded.Cursor);
        await mail.DeleteMailboxAsync(new MailboxName("Trash"));
        Assert.Null(await SelectAsync(mail, "Trash"));
        Assert.Equal(StoreResult.Done, await mail.CreateMailboxAsync(new MailboxName("Trash"), null));
        Assert.Empty((await SelectAsync(mail, "Trash"))!.Value.Uids);
    }

    private static async Task<((SharedMailbox Mailbox, MailboxCursor Cursor) Session, uint[] Uids)?> SelectAsync(UserMail mail, string name)
    {
        var cursor = new MailboxCursor(readOnly: false);
        return await mail.OpenAsync(new MailboxName(name), cursor) is var (mailbox, uids) ? ((mailbox, cursor), uids) : null;
    }
}
