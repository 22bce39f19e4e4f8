using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

public sealed class MailboxChangesTests
{
    [Fact]
    public async Task A_mailbox_is_made_with_its_missing_parents()
    {
        await using var user = await StoreFixture.OpenAsync();
        Assert.Equal(StoreResult.Done, await CreateAsync(user, "a/b/c"));
        Assert.True(user.Mailbox("a").Selectable && user.Mailbox("a/b").Selectable);
        Assert.Equal(StoreResult.AlreadyExists, await CreateAsync(user, "a/b"));
        Assert.Equal(StoreResult.AlreadyExists, await CreateAsync(user, "INBOX"));
    }

    [Fact]
    public async Task A_deleted_mailbox_with_children_holds_its_place_until_it_is_made_again()
    {
        await using var user = await StoreFixture.OpenAsync();
        await CreateAsync(user, "a/b");
        await user.AddAsync("a", "1");
        var before = user.Mailbox("a");
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(new MailboxName("a"), CancellationToken.None));
        Assert.True(user.Mailbox("a") is { Selectable: false, Messages: 0 });
        Assert.NotEqual(before.Id, user.Mailbox("a").Id);
        Assert.Equal(StoreResult.NotAllowed, await user.Store.DeleteMailboxAsync(new MailboxName("a"), CancellationToken.None));
        Assert.Equal(StoreResult.Done, await CreateAsync(user, "a"));
        Assert.True(user.Mailbox("a").Selectable && user.Mailbox("a").UidValidity > before.UidValidity);
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(new MailboxName("a"), CancellationToken.None));
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(new MailboxName("a/b"), CancellationToken.None));
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(new MailboxName("a"), CancellationToken.None));
        Assert.Null(user.Store.FindMailbox(new MailboxName("a")));
    }

    [Fact]
    public async Task The_inbox_cannot_be_deleted_and_an_absent_mailbox_is_not_found()
    {
        await using var user = await StoreFixture.OpenAsync();
        Assert.Equal(StoreResult.NotAllowed, await user.Store.DeleteMailboxAsync(MailboxName.Inbox, CancellationToken.None));
        Assert.Equal(StoreResult.NotFound, await user.Store.DeleteMailboxAsync(new MailboxName("absent"), CancellationToken.None));
        Assert.Equal(StoreResult.NotFound, await RenameAsync(user, "absent", "other"));
    }

    [Fact]
    public async Task A_rename_takes_the_children_along_and_keeps_ids_and_messages()
    {
        await using var user = await StoreFixture.OpenAsync();
        await CreateAsync(user, "a/b/c");
        await CreateAsync(user, "ab");
        var message = await user.AddAsync("a/b", "1");
        var before = user.Mailbox("a/b");
        Assert.Equal(StoreResult.Done, await RenameAsync(user, "a", "x/y"));
        Assert.Equal(["ab", "x", "x/y", "x/y/b", "x/y/b/c"], Names(user));
        Assert.Equal((before.Id, before.UidValidity), (user.Mailbox("x/y/b").Id, user.Mailbox("x/y/b").UidValidity));
        Assert.Equal(message.Uid, Assert.Single(user.Store.LoadMessages(before.Id)).Uid);
    }

    [Theory]
    [InlineData("a", "a/b/d", nameof(StoreResult.NotAllowed))]
    [InlineData("a", "a", nameof(StoreResult.AlreadyExists))]
    [InlineData("a", "Sent", nameof(StoreResult.AlreadyExists))]
    [InlineData("a", "INBOX", nameof(StoreResult.AlreadyExists))]
    public async Task A_rename_that_makes_no_sense_changes_nothing(string from, string to, string expected)
    {
        await using var user = await StoreFixture.OpenAsync();
        await CreateAsync(user, "a/b");
        Assert.Equal(Enum.Parse<StoreResult>(expected), await RenameAsync(user, from, to));
        Assert.Equal(["a", "a/b"], Names(user));
    }

    [Fact]
    public async Task A_rename_that_would_make_a_childs_name_too_long_is_refused_whole()
    {
        await using var user = await StoreFixture.OpenAsync();
        var deep = string.Join('/', Enumerable.Repeat("d", 40));
        await CreateAsync(user, "a/" + deep);
        var names = Names(user);
        Assert.Equal(StoreResult.NotAllowed, await RenameAsync(user, "a", string.Join('/', Enumerable.Repeat("e", 30))));
        Assert.Equal(names, Names(user));
    }

    [Fact]
    public async Task Renaming_the_inbox_moves_its_messages_and_leaves_it_empty_under_its_own_identity()
    {
        await using var user = await StoreFixture.OpenAsync();
        await CreateAsync(user, "INBOX/child");
        var message = await user.AddAsync("INBOX", "1", new FlagList(SystemFlags.Seen, []));
        await user.AddAsync("INBOX", "22");
        var before = user.Inbox;
        Assert.Equal(StoreResult.Done, await RenameAsync(user, "INBOX", "old/mail"));
        Assert.Equal((before.Id, before.UidValidity, 0u, 0u, 0ul), (user.Inbox.Id, user.Inbox.UidValidity, user.Inbox.Messages, user.Inbox.Unseen, user.Inbox.SizeBytes));
        Assert.True(user.Inbox.UidNext >= before.UidNext && user.Inbox.HighestModSeq > before.HighestModSeq);
        var moved = user.Mailbox("old/mail");
        Assert.Equal((2u, 1u, 3ul), (moved.Messages, moved.Unseen, moved.SizeBytes));
        Assert.Equal("1"u8.ToArray(), user.Content(user.Store.LoadMessages(moved.Id)[0]));
        Assert.Equal(message.Uid, user.Store.LoadMessages(moved.Id)[0].Uid);
        Assert.NotNull(user.Store.FindMailbox(new MailboxName("INBOX/child")));
        Assert.True((await user.AddAsync("old/mail", "3")).Uid > message.Uid);
    }

    [Fact]
    public async Task A_subscription_outlives_its_mailbox()
    {
        await using var user = await StoreFixture.OpenAsync();
        await CreateAsync(user, "a");
        Assert.False(user.Mailbox("a").Subscribed);
        await user.Store.SetSubscribedAsync(new MailboxName("a"), true, CancellationToken.None);
        await user.Store.DeleteMailboxAsync(new MailboxName("a"), CancellationToken.None);
        await user.ReopenAsync();
        Assert.Contains(new MailboxName("a"), user.Store.ListSubscriptions());
        await user.Store.SetSubscribedAsync(new MailboxName("a"), false, CancellationToken.None);
        Assert.DoesNotContain(new MailboxName("a"), user.Store.ListSubscriptions());
    }

    [Fact]
    public async Task A_percent_sign_or_an_underscore_in_a_name_is_nothing_special()
    {
        await using var user = await StoreFixture.OpenAsync();
        await CreateAsync(user, "a%/x");
        await CreateAsync(user, "a_/y");
        await CreateAsync(user, "ab/z");
        Assert.Equal(StoreResult.Done, await RenameAsync(user, "a%", "c"));
        Assert.Equal(["a_", "a_/y", "ab", "ab/z", "c", "c/x"], Names(user));
        await CreateAsync(user, "'; DROP TABLE mailboxes; --");
        Assert.Contains("'; DROP TABLE mailboxes; --", Names(user));
    }

    private static Task<StoreResult> CreateAsync(StoreFixture user, string name) => user.Store.CreateMailboxAsync(new MailboxName(name), null, CancellationToken.None);

    private static Task<StoreResult> RenameAsync(StoreFixture user, string from, string to) =>
        user.Store.RenameMailboxAsync(new MailboxName(from), new MailboxName(to), CancellationToken.None);

    private static List<string> Names(StoreFixture user) =>
        [.. user.Store.ListMailboxes().Where(mailbox => mailbox is { SpecialUse: null, Name.IsInbox: false }).Select(mailbox => mailbox.Name.Value)];
}
