using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>Once a higher epoch is on disk, or a release, nothing of those before comes to be written, whatever it is.</summary>
public sealed class StoreFenceTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<long, bool, long?, string> Newcomers => new()
    {
        { 0, false, null, "Join" },
        { 0, false, 1L, "Raise" },
        { 5, false, 4L, "Refuse" },
        { 5, false, 5L, "Join" },
        { 5, false, 6L, "Raise" },
        { 5, false, null, "Join" },
        { 5, true, 4L, "Refuse" },
        { 5, true, 5L, "Refuse" },
        { 5, true, 6L, "Raise" },
        { 5, true, null, "Refuse" },
        { long.MaxValue, false, long.MaxValue, "Join" },
    };

    [Theory]
    [MemberData(nameof(Newcomers))]
    public void Whoever_comes_joins_takes_over_or_is_refused(long epoch, bool isReleased, long? newcomers, string expected) =>
        Assert.Equal(expected, new StoreFence(epoch, isReleased).Admit(newcomers).ToString());

    /// <summary>Each way to change a store.</summary>
    private static readonly Dictionary<string, Func<StoreFixture, MessageRecord, Task>> Writes = new()
    {
        ["append"] = (user, _) => user.AddAsync("INBOX", "Subject: late\r\n\r\nx\r\n"),
        ["append in a file"] = (user, _) => user.AddAsync("INBOX", new byte[300_000]),
        ["flags"] = (user, message) => user.Store.StoreFlagsAsync(user.Inbox.Id, [message.Uid], StoreOperation.Add, new FlagList(SystemFlags.Seen, []), None),
        ["expunge"] = (user, message) => user.Store.ExpungeAsync(user.Inbox.Id, [message.Uid], None),
        ["copy"] = (user, message) => user.Store.CopyAsync(user.Inbox.Id, [message.Uid], user.Mailbox("Sent").Id, move: false, None),
        ["move"] = (user, message) => user.Store.CopyAsync(user.Inbox.Id, [message.Uid], user.Mailbox("Sent").Id, move: true, None),
        ["create"] = (user, _) => user.Store.CreateMailboxAsync(new MailboxName("New"), null, None),
        ["delete"] = (user, _) => user.Store.DeleteMailboxAsync(new MailboxName("Trash"), None),
        ["rename"] = (user, _) => user.Store.RenameMailboxAsync(new MailboxName("Trash"), new MailboxName("Bin"), None),
        ["subscribe"] = (user, _) => user.Store.SetSubscribedAsync(new MailboxName("Trash"), false, None),
        ["metadata"] = (user, _) => user.Store.SetMetadataAsync(MetadataTable.Account, [new("/private/comment", "x"u8.ToArray())], None),
        ["access"] = (user, _) => user.Store.Access.ChangeAsync(user.Inbox.Id, AccessIdentifier.TryCreate("bob@example.com", out var bob) ? bob : default, static _ => MailboxRights.Lookup, None),
        ["url key"] = (user, _) => user.Store.UrlKeys.GetAsync(user.Inbox.Id, None),
        ["text index"] = (user, message) => user.Store.AddTextsAsync([new IndexedText(message.ContentId, "LATE", true)], None),
        ["removal of contents"] = (user, _) => user.Store.RemoveUnreferencedAsync(None),
        ["recent"] = (user, _) => user.Store.FirstRecentUidAsync(user.Inbox.Id, claim: true, None),
    };

    public static TheoryData<string, bool> EveryWrite
    {
        get
        {
            var all = new TheoryData<string, bool>();
            foreach (var name in Writes.Keys)
            {
                all.Add(name, true);
                all.Add(name, false);
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(EveryWrite))]
    public async Task Nothing_is_written_behind_the_fence(string name, bool isReleased)
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", "Subject: first\r\n\r\ntext\r\n");
        await user.Store.ServeAsync(1);
        await using var newer = await UserStore.OpenAsync(user.Directory.FullName, user.User, None);
        await newer.ServeAsync(null);
        if (isReleased) await newer.FenceAsync(new StoreFence(2, IsReleased: true));
        else await newer.ServeAsync(2);
        var before = Dump(newer);

        var refused = await Assert.ThrowsAsync<StoreException>(() => Writes[name](user, message));

        Assert.True(refused.IsFenced);
        Assert.Equal(before, Dump(newer));
        // Reading disturbs nobody.
        Assert.Equal(1u, user.Inbox.Messages);
    }

    [Theory]
    [MemberData(nameof(EveryWrite))]
    public async Task All_of_it_is_written_before_the_fence(string name, bool _)
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", "Subject: first\r\n\r\ntext\r\n");
        await user.Store.ServeAsync(1);
        await Writes[name](user, message);
    }

    [Fact]
    public async Task The_epoch_and_the_release_are_there_when_the_store_is_opened_again()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.ServeAsync(7);
        await user.ReopenAsync();
        await user.Store.ServeAsync(null);
        Assert.Equal(new StoreFence(7, false), user.Store.Fence);
        await user.Store.FenceAsync(new StoreFence(8, true));
        await user.ReopenAsync();
        await user.Store.ServeAsync(null);
        Assert.Equal(new StoreFence(8, true), user.Store.Fence);
        await user.Store.ServeAsync(9);
        Assert.Equal(new StoreFence(9, false), user.Store.Fence);
        await user.AddAsync("INBOX", "Subject: again\r\n\r\n");
    }

    [Fact]
    public async Task An_epoch_never_falls()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.ServeAsync(7);
        Assert.True((await Assert.ThrowsAsync<StoreException>(() => user.Store.FenceAsync(new StoreFence(6, true)))).IsFenced);
        await user.Store.ServeAsync(3);
        Assert.Equal(new StoreFence(7, false), user.Store.Fence);
    }

    private static string Dump(UserStore store) => string.Join('\n', store.ListMailboxes().Select(mailbox =>
        $"{mailbox} {string.Join(',', store.LoadMessages(mailbox.Id).Select(static message => $"{message.Uid}:{message.ModSeq}:{message.Flags}"))}"))
        + string.Join(',', store.ListSubscriptions().Select(static name => name.Value)) + store.Access.Given().Count + store.FindMetadata(MetadataTable.Account, "/private/comment", 0).Count
        + store.MissingTexts(store.FindMailbox(MailboxName.Inbox)!.Id, 10, CancellationToken.None).Count;
}
