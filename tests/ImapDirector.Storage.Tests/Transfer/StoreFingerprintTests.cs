using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Tests.Store;
using ImapDirector.Storage.Transfer;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

public sealed class StoreFingerprintTests
{
    [Fact]
    public async Task Whatever_a_client_could_tell_changes_it()
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", "one");
        var seen = new HashSet<string> { Of(user) };
        Assert.True(AccessIdentifier.TryCreate("bob@example.com", out var bob));
        Func<Task>[] changes =
        [
            () => user.AddAsync("INBOX", "two"),
            () => user.Store.StoreFlagsAsync(user.Inbox.Id, [message.Uid], StoreOperation.Add, new FlagList(SystemFlags.Seen, []), CancellationToken.None),
            () => user.Store.StoreFlagsAsync(user.Inbox.Id, [message.Uid], StoreOperation.Add, new FlagList(SystemFlags.None, ["word"]), CancellationToken.None),
            () => user.Store.ExpungeAsync(user.Inbox.Id, [2], CancellationToken.None),
            () => user.Store.CreateMailboxAsync(new MailboxName("Other"), null, CancellationToken.None),
            () => user.Store.RenameMailboxAsync(new MailboxName("Other"), new MailboxName("Another"), CancellationToken.None),
            () => user.Store.SetSubscribedAsync(new MailboxName("Another"), true, CancellationToken.None),
            () => user.Store.SetMetadataAsync(MetadataTable.Account, [new("/private/comment", "x"u8.ToArray())], CancellationToken.None),
            () => user.Store.Access.ChangeAsync(user.Inbox.Id, bob, static _ => MailboxRights.Lookup, CancellationToken.None),
            () => user.Store.DeleteMailboxAsync(new MailboxName("Another"), CancellationToken.None),
        ];
        foreach (var change in changes)
        {
            await change();
            Assert.True(seen.Add(Of(user)), $"Change {Array.IndexOf(changes, change)} is not seen.");
        }
    }

    [Fact]
    public async Task How_it_lies_on_disk_and_which_epoch_it_has_seen_does_not()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "one");
        await user.AddAsync("Sent", Encoding.ASCII.GetBytes(new string('x', MessageContents.MaxBodyBytesInDatabase + 1)));
        var before = Of(user);
        await user.Store.AddTextsAsync([new IndexedText(1, "ONE", true)], CancellationToken.None);
        await user.Store.DisposeAsync();
        await StoreMark.WriteAsync(user.UserDirectory, new StoreMark(7, StoreState.Released), CancellationToken.None);
        using (var taken = StoreDirectory.Open(user.Directory.FullName).Take()) Assert.Empty(taken.Vacuum(user.User, progress: null, CancellationToken.None).Findings);
        Assert.Equal(before, Of(user));
    }

    [Fact]
    public async Task A_content_without_a_digest_is_read()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "one");
        await user.Store.MaintainAsync(static store => store.Run("UPDATE summaries SET digest = NULL"), CancellationToken.None);
        var before = Of(user);
        await user.Store.MaintainAsync(static store => store.Run("UPDATE contents SET body = x'00'"), CancellationToken.None);
        Assert.NotEqual(before, Of(user));
    }

    private static string Of(StoreFixture user) => StoreFingerprint.Of(user.UserDirectory, CancellationToken.None).Digest;
}
