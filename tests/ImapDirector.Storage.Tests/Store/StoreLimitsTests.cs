using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Tests.Exchange;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Storage.Tests.Transfer;
using ImapDirector.Storage.Transfer;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>What a user can fill the disk with besides messages: each just below its limit, at it and above it.</summary>
public sealed class StoreLimitsTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_user_has_so_many_mailboxes_with_those_that_only_hold_others()
    {
        await using var user = await StoreFixture.OpenAsync();
        await FillAsync(user.Store, MailboxTable.MaxMailboxes - 3);
        Assert.Equal(StoreResult.Done, await CreateAsync(user, "a/b"));
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(new MailboxName("a"), None));
        Assert.Equal(StoreResult.TooMany, await CreateAsync(user, "x/y"));
        Assert.Null(user.Store.FindMailbox(new MailboxName("x")));
        Assert.Equal(StoreResult.Done, await CreateAsync(user, "x"));
        Assert.Equal(StoreResult.TooMany, await CreateAsync(user, "z"));
        Assert.Equal(StoreResult.TooMany, await CreateAsync(user, "x/y"));
        Assert.Equal(StoreResult.AlreadyExists, await CreateAsync(user, "x"));
        // It has its place already.
        Assert.Equal(StoreResult.Done, await CreateAsync(user, "a"));
    }

    [Fact]
    public async Task A_rename_makes_none_beyond_the_limit()
    {
        await using var user = await StoreFixture.OpenAsync();
        await FillAsync(user.Store, MailboxTable.MaxMailboxes - 1);
        Assert.Equal(StoreResult.Done, await RenameAsync(user, "Trash", "new/Trash"));
        Assert.Equal(StoreResult.Done, await RenameAsync(user, "Junk", "new/Junk"));
        Assert.Equal(StoreResult.TooMany, await RenameAsync(user, "Sent", "newer/Sent"));
        Assert.Equal(StoreResult.TooMany, await RenameAsync(user, "INBOX", "Old"));
        Assert.NotNull(user.Store.FindMailbox(new MailboxName("Sent")));
        await user.Store.DeleteMailboxAsync(new MailboxName("Drafts"), None);
        Assert.Equal(StoreResult.Done, await RenameAsync(user, "INBOX", "Old"));
    }

    [Fact]
    public async Task A_user_has_so_many_subscriptions()
    {
        await using var user = await StoreFixture.OpenAsync();
        await SubscribeAsync(user.Store, MailboxTable.MaxSubscriptions - 1);
        Assert.Equal(StoreResult.Done, await user.Store.SetSubscribedAsync(new MailboxName("a"), true, None));
        Assert.Equal(StoreResult.TooMany, await user.Store.SetSubscribedAsync(new MailboxName("b"), true, None));
        Assert.Equal(StoreResult.Done, await user.Store.SetSubscribedAsync(new MailboxName("a"), true, None));
        Assert.Equal(StoreResult.Done, await user.Store.SetSubscribedAsync(new MailboxName("a"), false, None));
        Assert.Equal(StoreResult.Done, await user.Store.SetSubscribedAsync(new MailboxName("b"), true, None));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Annotations_have_so_many_bytes_together(int beyond, bool may)
    {
        await using var user = await StoreFixture.OpenAsync();
        const string name = "/private/last";
        // URLs' keys are in the same table, and none of the user's doing.
        await user.Store.UrlKeys.GetAsync(user.Inbox.Id, None);
        await AnnotateAsync(user.Store, MetadataTable.MaxBytes - 1000);
        var value = new byte[1000 - MetadataTable.EntryBytes - name.Length + beyond];
        if (may) await SetAsync(user, name, value);
        else await Assert.ThrowsAsync<OverQuotaException>(() => SetAsync(user, name, value));
        Assert.Equal(may ? 1 : 0, user.Store.FindMetadata(user.Inbox.Id, name, 0).Count);
    }

    [Fact]
    public async Task A_store_that_has_more_can_be_used_and_made_smaller()
    {
        await using var user = await StoreFixture.OpenAsync();
        await FillAsync(user.Store, MailboxTable.MaxMailboxes + 1);
        await SubscribeAsync(user.Store, MailboxTable.MaxSubscriptions + 1);
        await AnnotateAsync(user.Store, MetadataTable.MaxBytes + 100_000);
        await using var node = await RunningNode.StartAsync(directory: user.Directory.FullName);
        await user.Store.DisposeAsync();
        await using var client = await node.LogInAsync();
        Assert.Equal(MailboxTable.MaxMailboxes + 1, (await client.OkAsync("LIST \"\" *")).Count);
        Assert.StartsWith("NO [LIMIT] ", (await client.CommandAsync("CREATE another"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [LIMIT] ", (await client.CommandAsync("RENAME INBOX another"))[^1], StringComparison.Ordinal);
        await client.OkAsync("UNSUBSCRIBE Sent");
        Assert.StartsWith("NO [LIMIT] ", (await client.CommandAsync("SUBSCRIBE Sent"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [OVERQUOTA] ", (await client.CommandAsync("SETMETADATA INBOX (/private/new \"x\")"))[^1], StringComparison.Ordinal);
        await client.OkAsync("SETMETADATA Archive (/private/filler/0 \"shorter\" /private/filler/1 NIL)");
        await client.AppendAsync("m6", "Subject: x\r\n\r\n");
        await client.OkAsync("DELETE m6");
        await client.OkAsync("DELETE m7");
        await client.OkAsync("CREATE another");
        await client.OkAsync("SETMETADATA another (/private/new \"x\")");
    }

    [Fact]
    public async Task An_import_is_not_held_to_them_and_neither_is_a_move()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.1.host:2,", "Subject: x\n\n");
        exchange.Write(".One/cur/1.1.host:2,", "Subject: x\n\n");
        await FillAsync(exchange.User.Store, MailboxTable.MaxMailboxes);
        await SubscribeAsync(exchange.User.Store, MailboxTable.MaxSubscriptions);
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir);
        Assert.Equal((2, 2, 0), (imported.Mailboxes, imported.Messages, imported.Findings.Count));
        Assert.True(exchange.User.Mailbox("One").Subscribed);

        await using var nodes = await TwoNodes.WithMailAsync();
        await using (var lease = await nodes.From.Mails.AcquireAsync(nodes.User, None)) await FillAsync(lease.Mail.Store, MailboxTable.MaxMailboxes + 1);
        Assert.Equal(TransferAnswer.Done, await nodes.From.Transfers.ReleaseAsync(nodes.User, 2, None));
        var manifest = OutgoingStore.Prepare(nodes.From.Data, nodes.User, 2, None);
        var incoming = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, TimeSpan.FromMilliseconds(1));
        await incoming.TakeAsync((number, offset, _) => Task.FromResult<Stream>(OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset)), None);
        Assert.Equal(nodes.From.Fingerprint(nodes.User), StoreFingerprint.Of(incoming.Directory, None).Digest);
    }

    private static Task<StoreResult> CreateAsync(StoreFixture user, string name) => user.Store.CreateMailboxAsync(new MailboxName(name), null, None);

    private static Task<StoreResult> RenameAsync(StoreFixture user, string from, string to) => user.Store.RenameMailboxAsync(new MailboxName(from), new MailboxName(to), None);

    private static Task SetAsync(StoreFixture user, string name, byte[] value) => user.Store.SetMetadataAsync(user.Inbox.Id, [new(name, value)], None);

    /// <summary>Makes mailboxes until there are so many.</summary>
    private static Task<bool> FillAsync(UserStore store, int count) => store.MaintainAsync(connection =>
    {
        for (var i = MailboxTable.All(connection).Count; i < count; i++) MailboxTable.Create(connection, new MailboxName($"m{i}"), specialUse: null);
        return true;
    }, None);

    private static Task<bool> SubscribeAsync(UserStore store, int count) => store.MaintainAsync(connection =>
    {
        for (var i = MailboxTable.Subscriptions(connection).Count; i < count; i++) MailboxTable.SetSubscribed(connection, $"s{i}", subscribed: true);
        return true;
    }, None);

    /// <summary>Adds annotations that count so many bytes, to mailbox after mailbox.</summary>
    private static Task<bool> AnnotateAsync(UserStore store, int bytes) => store.MaintainAsync(connection =>
    {
        var mailboxes = MailboxTable.All(connection);
        for (var i = 0; bytes > 0; i++)
        {
            var name = $"/private/filler/{i % 45}";
            var value = Math.Min(bytes - name.Length - MetadataTable.EntryBytes, MetadataTable.MaxValueBytes);
            // What is left for the last must be more than an entry without a value.
            if (bytes - value - name.Length - MetadataTable.EntryBytes is > 0 and < 1000) value -= 1000;
            connection.Run("INSERT INTO metadata VALUES (?1, ?2, ?3)", mailboxes[i / 45].Id, name, new byte[value]);
            bytes -= value + name.Length + MetadataTable.EntryBytes;
        }
        return true;
    }, None);
}
