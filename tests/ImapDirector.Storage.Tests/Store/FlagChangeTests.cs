using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store.Maintenance;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>Flags of many messages that were changed at once: whoever looks sees them, although their rows do not show it.</summary>
public sealed class FlagChangeTests
{
    private const int Messages = 300;

    [Fact]
    public async Task A_change_of_many_messages_is_one_row_and_is_there_after_a_restart()
    {
        await using var user = await FilledAsync();
        var before = user.Inbox;
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Seen | SystemFlags.Deleted);
        await StoreAsync(user, 50, 250, StoreOperation.Remove, SystemFlags.Deleted);
        Assert.Equal(2, await RowsAsync(user));
        await user.ReopenAsync();
        var messages = user.Store.LoadMessages(before.Id);
        Assert.All(messages, message => Assert.Equal(message.Uid is >= 50 and <= 250 ? SystemFlags.Seen : SystemFlags.Seen | SystemFlags.Deleted, message.Flags));
        Assert.All(messages, message => Assert.Equal(before.HighestModSeq + (message.Uid is >= 50 and <= 250 ? 2ul : 1ul), message.ModSeq));
        Assert.Equal((0u, 99u, before.HighestModSeq + 2), (user.Inbox.Unseen, user.Inbox.Deleted, user.Inbox.HighestModSeq));
        Assert.Equal(99UL * before.SizeBytes / Messages, user.Store.DeletedBytes(before.Id));
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task What_has_the_flags_already_keeps_its_mod_sequence()
    {
        await using var user = await FilledAsync();
        await StoreAsync(user, 100, 100, StoreOperation.Add, SystemFlags.Seen);
        var one = user.Store.LoadMessages(user.Inbox.Id)[99].ModSeq;
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Seen);
        Assert.Equal(one, user.Store.LoadMessages(user.Inbox.Id)[99].ModSeq);
        var highest = user.Inbox.HighestModSeq;
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Seen);
        Assert.Equal(highest, user.Inbox.HighestModSeq);
    }

    [Fact]
    public async Task Changes_of_single_messages_copies_and_expunges_begin_with_the_flags_that_the_range_gave()
    {
        await using var user = await FilledAsync();
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Flagged);
        await StoreAsync(user, 7, 7, StoreOperation.Add, SystemFlags.Seen);
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Deleted);
        await StoreAsync(user, 8, 8, StoreOperation.Remove, SystemFlags.Deleted);
        var copies = await user.Store.CopyAsync(user.Inbox.Id, [6, 7, 8], user.Mailbox("Sent").Id, move: true, CancellationToken.None);
        Assert.Equal([SystemFlags.Flagged | SystemFlags.Deleted, SystemFlags.Flagged | SystemFlags.Seen | SystemFlags.Deleted, SystemFlags.Flagged],
            copies.Copies.Select(static copy => copy.Copy.Flags));
        Assert.Equal((3u, 2u, 2u), (user.Mailbox("Sent").Messages, user.Mailbox("Sent").Unseen, user.Mailbox("Sent").Deleted));
        var added = await user.AddAsync("INBOX", "Subject: new\r\n\r\n");
        var expunged = await user.ExpungeDeletedAsync(user.Inbox.Id, [.. Enumerable.Range(1, Messages + 1).Select(static uid => (uint)uid)]);
        Assert.Equal(Messages - 3, expunged.Uids.Count);
        Assert.Equal((1u, 1u, 0u), (user.Inbox.Messages, user.Inbox.Unseen, user.Inbox.Deleted));
        Assert.Equal((added.Uid, SystemFlags.None), (user.Store.LoadMessages(user.Inbox.Id)[0].Uid, user.Store.LoadMessages(user.Inbox.Id)[0].Flags));
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task More_changes_than_are_kept_are_brought_into_the_messages()
    {
        await using var user = await FilledAsync();
        for (var i = 0; i <= FlagChangeTable.MaxRows; i++)
            await StoreAsync(user, (uint)(1 + i % 10), Messages, i % 2 == 0 ? StoreOperation.Add : StoreOperation.Remove, SystemFlags.Answered);
        Assert.InRange(await RowsAsync(user), 1, FlagChangeTable.MaxRows);
        Assert.All(user.Store.LoadMessages(user.Inbox.Id), message => Assert.Equal(message.Uid >= 5 || message.Uid % 2 == 1 ? SystemFlags.Answered : SystemFlags.None, message.Flags));
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task They_go_along_when_the_inbox_is_renamed_and_go_with_their_mailbox()
    {
        await using var user = await FilledAsync();
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Draft);
        var moved = new MailboxName("moved");
        Assert.Equal(StoreResult.Done, await user.Store.RenameMailboxAsync(MailboxName.Inbox, moved, CancellationToken.None));
        Assert.All(user.Store.LoadMessages(user.Mailbox("moved").Id), static message => Assert.Equal(SystemFlags.Draft, message.Flags));
        Assert.Empty(user.Check());
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(moved, CancellationToken.None));
        Assert.Equal(0, await RowsAsync(user));
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task A_repair_keeps_them_and_an_export_has_them()
    {
        await using var user = await FilledAsync();
        await StoreAsync(user, 1, Messages, StoreOperation.Add, SystemFlags.Flagged);
        var before = user.Describe();
        var mail = Path.Combine(user.Directory.FullName, "mail");
        StoreDirectory.Open(user.Directory.FullName).Export(user.User, mail, MailFormat.Maildir, keepUids: true, progress: null, CancellationToken.None);
        Assert.All(Directory.GetFiles(Path.Combine(mail, "cur")), static file => Assert.EndsWith(":2,F", file, StringComparison.Ordinal));
        await user.DamageAsync("UPDATE mailboxes SET unseen = 5");
        Assert.All(await user.RepairAsync(), static finding => Assert.True(finding.IsMended));
        await user.ReopenAsync();
        Assert.Equal(0, await RowsAsync(user));
        Assert.Equal(before, user.Describe());
    }

    private static async Task<StoreFixture> FilledAsync()
    {
        var user = await StoreFixture.OpenAsync();
        var original = await user.AddAsync("Drafts", "Subject: x\r\n\r\n");
        await user.Store.CopyAsync(user.Mailbox("Drafts").Id, [original.Uid], user.Inbox.Id, move: false, CancellationToken.None);
        while (user.Inbox.Messages < Messages)
        {
            uint[] half = [.. user.Store.LoadMessages(user.Inbox.Id).Uids[..(int)Math.Min(user.Inbox.Messages, Messages - user.Inbox.Messages)]];
            await user.Store.CopyAsync(user.Inbox.Id, half, user.Inbox.Id, move: false, CancellationToken.None);
        }
        return user;
    }

    /// <summary>As a session does it.</summary>
    private static async Task StoreAsync(StoreFixture user, uint first, uint last, StoreOperation operation, SystemFlags flags)
    {
        var mail = new UserMail(user.Store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));
        var cursor = new MailboxCursor(readOnly: false);
        var (mailbox, uids) = (await mail.OpenAsync(MailboxName.Inbox, cursor))!.Value;
        uint[] named = [.. uids.Where(uid => uid >= first && uid <= last)];
        await mail.StoreFlagsAsync(mailbox, named, new FlagChange(operation, new FlagList(flags, [])), cursor);
        // What is in memory is what a later session reads.
        Assert.Equal(user.Store.LoadMessages(mailbox.Id).Select(static message => (message.Uid, message.Flags, message.ModSeq)),
            mailbox.Find(uids).Select(static message => (message!.Uid, message.Flags, message.ModSeq)));
        await mail.CloseAsync(mailbox, cursor);
    }

    private static Task<int> RowsAsync(StoreFixture user) =>
        user.Store.MaintainAsync(static store => FlagChangeTable.Mailboxes(store).Sum(mailbox => FlagChangeTable.Of(store, mailbox).Count), CancellationToken.None);
}
