using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

public sealed class UserStoreTests
{
    private static readonly FlagList Seen = new(SystemFlags.Seen, ["$Label1"]);

    [Theory]
    [InlineData(1_000, 3)]
    [InlineData(200_000, 2)]
    [InlineData(300_000, 1)]
    public async Task Summaries_are_read_ahead_as_far_as_they_are_small(int subjectBytes, int read)
    {
        await using var user = await StoreFixture.OpenAsync();
        var contents = new List<long>();
        for (var i = 0; i < 3; i++) contents.Add((await user.AddAsync("INBOX", $"Subject: {new string('x', subjectBytes)}{i}\r\n\r\n")).ContentId);
        var loaded = user.Store.Contents.Load(contents, withSummary: true, withContent: false, mostSummaryBytes: 256 * 1024);
        Assert.Equal(contents.Take(read), loaded.Select(static message => message.ContentId));
    }

    [Fact]
    public async Task A_new_user_has_the_usual_mailboxes_subscribed_and_with_their_uses()
    {
        await using var user = await StoreFixture.OpenAsync();
        var mailboxes = user.Store.ListMailboxes();
        Assert.Equal(["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"], mailboxes.Select(mailbox => mailbox.Name.Value));
        Assert.Equal([@"\Archive", @"\Drafts", null, @"\Junk", @"\Sent", @"\Trash"], mailboxes.Select(mailbox => mailbox.SpecialUse));
        Assert.All(mailboxes, mailbox => Assert.True(mailbox is { Selectable: true, Subscribed: true, UidNext: 1, Messages: 0 }));
        Assert.Equal(6, mailboxes.Select(mailbox => mailbox.UidValidity).Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(MessageContents.MaxBodyBytesInDatabase)]
    [InlineData(MessageContents.MaxBodyBytesInDatabase + 1)]
    [InlineData(1_000_000)]
    public async Task A_message_comes_back_byte_for_byte_after_a_restart(int length)
    {
        await using var user = await StoreFixture.OpenAsync();
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var date = new DateTimeOffset(2024, 2, 29, 23, 59, 58, TimeSpan.FromMinutes(-330));
        var added = await user.AddAsync("INBOX", bytes, Seen, date);
        await user.ReopenAsync();
        var message = Assert.Single(user.Store.LoadMessages(user.Inbox.Id));
        Assert.Equal(added with { Keywords = default }, message with { Keywords = default });
        Assert.Equal("$Label1", string.Join(' ', message.Keywords));
        Assert.Equal((date, date.Offset), (message.InternalDate, message.InternalDate.Offset));
        Assert.Equal((uint)length, message.SizeBytes);
        Assert.Equal(bytes, user.Content(message));
        var files = Directory.Exists(Path.Combine(user.UserDirectory, "contents")) ? Directory.GetFiles(Path.Combine(user.UserDirectory, "contents")).Length : 0;
        Assert.Equal(length > MessageContents.MaxBodyBytesInDatabase ? 1 : 0, files);
    }

    [Fact]
    public async Task Counters_follow_every_change()
    {
        await using var user = await StoreFixture.OpenAsync();
        var uids = new List<uint>();
        for (var i = 0; i < 4; i++) uids.Add((await user.AddAsync("INBOX", "12345")).Uid);
        Assert.Equal((4u, 4u, 0u, 20ul, 4u), Counters(user.Inbox));
        await user.Store.StoreFlagsAsync(user.Inbox.Id, uids[..2], StoreOperation.Add, new FlagList(SystemFlags.Seen | SystemFlags.Deleted, []), CancellationToken.None);
        Assert.Equal((4u, 2u, 2u, 20ul, 4u), Counters(user.Inbox));
        await user.Store.CopyAsync(user.Inbox.Id, uids[1..3], user.Mailbox("Sent").Id, move: true, CancellationToken.None);
        Assert.Equal((2u, 1u, 1u, 10ul, 2u), Counters(user.Inbox));
        Assert.Equal((2u, 1u, 1u, 10ul, 2u), Counters(user.Mailbox("Sent")));
        Assert.Equal([uids[0]], (await user.ExpungeDeletedAsync(user.Inbox.Id, uids)).Uids);
        Assert.Equal((1u, 1u, 0u, 5ul, 1u), Counters(user.Inbox));

        (uint, uint, uint, ulong, uint) Counters(MailboxRecord mailbox) =>
            (mailbox.Messages, mailbox.Unseen, mailbox.Deleted, mailbox.SizeBytes, user.Store.CountRecent(mailbox.Id));
    }

    [Fact]
    public async Task Uids_are_not_given_twice_even_after_the_last_message_is_gone_and_a_restart()
    {
        await using var user = await StoreFixture.OpenAsync();
        var first = await user.AddAsync("INBOX", "1");
        await user.Store.ExpungeAsync(user.Inbox.Id, [first.Uid], CancellationToken.None);
        await user.ReopenAsync();
        var second = await user.AddAsync("INBOX", "2");
        Assert.True(second.Uid > first.Uid);
        Assert.True(second.ModSeq > first.ModSeq);
        Assert.True(second.ContentId > first.ContentId);
    }

    [Fact]
    public async Task Flags_change_only_where_they_differ_and_keywords_keep_their_spelling()
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", "1", Seen);
        var same = Assert.Single(await StoreAsync(StoreOperation.Add, SystemFlags.Seen, "$LABEL1"));
        Assert.Equal(message.ModSeq, same.ModSeq);
        Assert.Equal("$Label1", string.Join(' ', same.Keywords));
        var added = Assert.Single(await StoreAsync(StoreOperation.Add, SystemFlags.Flagged, "other"));
        Assert.True(added.ModSeq > message.ModSeq);
        Assert.Equal((SystemFlags.Seen | SystemFlags.Flagged, "$Label1 other"), (added.Flags, string.Join(' ', added.Keywords)));
        var removed = Assert.Single(await StoreAsync(StoreOperation.Remove, SystemFlags.Seen, "$label1"));
        Assert.Equal((SystemFlags.Flagged, "other"), (removed.Flags, string.Join(' ', removed.Keywords)));
        var replaced = Assert.Single(await StoreAsync(StoreOperation.Replace, SystemFlags.Draft, "new"));
        Assert.Equal((SystemFlags.Draft, "new"), (replaced.Flags, string.Join(' ', replaced.Keywords)));
        Assert.Equal(replaced.ModSeq, user.Inbox.HighestModSeq);

        async Task<IReadOnlyList<MessageRecord>> StoreAsync(StoreOperation operation, SystemFlags flags, string keyword) =>
            (await user.Store.StoreFlagsAsync(user.Inbox.Id, [message.Uid, 999], operation, new FlagList(flags, [keyword]), CancellationToken.None)).Messages;
    }

    [Fact]
    public async Task Copies_share_their_body_until_the_last_of_them_is_gone()
    {
        await using var user = await StoreFixture.OpenAsync();
        var bytes = Encoding.ASCII.GetBytes(new string('x', MessageContents.MaxBodyBytesInDatabase + 1));
        var original = await user.AddAsync("INBOX", bytes, Seen);
        var (source, copy) = Assert.Single((await user.Store.CopyAsync(user.Inbox.Id, [original.Uid], user.Mailbox("Sent").Id, move: false, CancellationToken.None)).Copies);
        Assert.Equal((original.Uid, original.ContentId, original.InternalDate), (source, copy.ContentId, copy.InternalDate));
        await user.Store.ExpungeAsync(user.Inbox.Id, [original.Uid], CancellationToken.None);
        Assert.Equal(bytes, user.Content(copy));
        await user.Store.ExpungeAsync(user.Mailbox("Sent").Id, [copy.Uid], CancellationToken.None);
        Assert.Throws<StoreException>(() => user.Store.Contents.Open(copy.ContentId));
        Assert.Throws<StoreException>(() => user.Store.Contents.LoadSummary(copy.ContentId));
        Assert.Empty(Directory.GetFiles(Path.Combine(user.UserDirectory, "contents")));
    }

    [Fact]
    public async Task A_mailbox_that_was_deleted_meanwhile_takes_nothing_and_leaves_no_file()
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", "1");
        await user.Store.CreateMailboxAsync(new MailboxName("Work"), null, CancellationToken.None);
        var work = user.Mailbox("Work");
        await user.AddAsync("Work", "2");
        Assert.Equal(StoreResult.Done, await user.Store.DeleteMailboxAsync(work.Name, CancellationToken.None));
        await using var spool = new ImapDirector.Network.MessageSpool(user.Directory.FullName);
        await spool.WriteAsync(new byte[MessageContents.MaxBodyBytesInDatabase + 1], CancellationToken.None);
        await Assert.ThrowsAsync<MailboxGoneException>(() => user.Store.AppendAsync(work.Id, [new NewMessage(spool, FlagList.Empty, default)], null, CancellationToken.None));
        await Assert.ThrowsAsync<MailboxGoneException>(() => user.Store.CopyAsync(user.Inbox.Id, [message.Uid], work.Id, move: true, CancellationToken.None));
        await Assert.ThrowsAsync<MailboxGoneException>(() => user.Store.FirstRecentUidAsync(work.Id, claim: true, CancellationToken.None));
        Assert.Single(user.Store.LoadMessages(user.Inbox.Id));
        Assert.Empty(Directory.GetFiles(Path.Combine(user.UserDirectory, "contents")));
        // The name is free again, under another identity.
        Assert.Equal(StoreResult.Done, await user.Store.CreateMailboxAsync(work.Name, null, CancellationToken.None));
        Assert.NotEqual(work.Id, user.Mailbox("Work").Id);
        Assert.True(user.Mailbox("Work").UidValidity > work.UidValidity);
    }

    [Fact]
    public async Task Recent_messages_are_those_since_the_last_claim()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "1");
        Assert.Equal(1u, await user.Store.FirstRecentUidAsync(user.Inbox.Id, claim: false, CancellationToken.None));
        Assert.Equal(1u, await user.Store.FirstRecentUidAsync(user.Inbox.Id, claim: true, CancellationToken.None));
        Assert.Equal(0u, user.Store.CountRecent(user.Inbox.Id));
        await user.AddAsync("INBOX", "2");
        await user.ReopenAsync();
        Assert.Equal(1u, user.Store.CountRecent(user.Inbox.Id));
        Assert.Equal(2u, await user.Store.FirstRecentUidAsync(user.Inbox.Id, claim: false, CancellationToken.None));
    }

    [Fact]
    public async Task Only_the_owner_may_enter_the_directories_and_read_the_files()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", new byte[MessageContents.MaxBodyBytesInDatabase + 1]);
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode others = (UnixFileMode)0b000_111_111;
        foreach (var path in Directory.EnumerateFileSystemEntries(user.UserDirectory, "*", SearchOption.AllDirectories).Append(user.UserDirectory))
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & others);
    }

    [Fact]
    public async Task A_damaged_database_is_a_store_failure()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(user.UserDirectory, "mail.db"), new string('x', 8192));
        await Assert.ThrowsAsync<StoreException>(() => UserStore.OpenAsync(user.Directory.FullName, user.User, CancellationToken.None));
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_left_alone()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        SetVersion(user, 99);
        var refused = await Assert.ThrowsAsync<StoreException>(() => UserStore.OpenAsync(user.Directory.FullName, user.User, CancellationToken.None));
        Assert.Contains("newer", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_a_crash_left_behind_are_swept_and_the_others_are_not()
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", new byte[MessageContents.MaxBodyBytesInDatabase + 1]);
        var contents = Path.Combine(user.UserDirectory, "contents");
        var stray = Path.Combine(contents, Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(stray, "half a message");
        await user.ReopenAsync();
        Assert.True(File.Exists(stray), "A store that was closed well is not swept.");
        // What a crash leaves: the log beside the database.
        await user.Store.DisposeAsync();
        await File.WriteAllBytesAsync(Path.Combine(user.UserDirectory, "mail.db-wal"), []);
        await user.ReopenAsync();
        Assert.False(File.Exists(stray));
        Assert.Equal((int)message.SizeBytes, user.Content(message).Length);
    }

    [Fact]
    public async Task A_body_file_that_is_missing_fails_that_message_alone()
    {
        await using var user = await StoreFixture.OpenAsync();
        var large = await user.AddAsync("INBOX", new byte[MessageContents.MaxBodyBytesInDatabase + 1]);
        var small = await user.AddAsync("INBOX", "small");
        Directory.Delete(Path.Combine(user.UserDirectory, "contents"), recursive: true);
        Assert.Throws<StoreException>(() => user.Store.Contents.Open(large.ContentId));
        Assert.Equal("small"u8.ToArray(), user.Content(small));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_database_that_names_a_file_outside_neither_reads_nor_removes_it(bool isRelative)
    {
        await using var user = await StoreFixture.OpenAsync();
        var victim = Path.Combine(user.Directory.FullName, "victim");
        await File.WriteAllTextAsync(victim, "another user's mail");
        var message = await user.AddAsync("INBOX", new byte[MessageContents.MaxBodyBytesInDatabase + 1]);
        var name = isRelative ? Path.GetRelativePath(Path.Combine(user.UserDirectory, "contents"), victim) : victim;
        await user.Store.MaintainAsync(store => store.Run("UPDATE contents SET file = ?1", name), CancellationToken.None);
        var refused = Assert.Throws<StoreException>(() => user.Store.Contents.Open(message.ContentId));
        Assert.DoesNotContain("victim", refused.Message, StringComparison.Ordinal);
        await user.Store.ExpungeAsync(user.Inbox.Id, [message.Uid], CancellationToken.None);
        await user.ReopenAsync();
        Assert.Equal("another user's mail", await File.ReadAllTextAsync(victim));
    }

    [Fact]
    public async Task A_disk_that_takes_no_more_fails_the_append_and_nothing_else()
    {
        await using var user = await StoreFixture.OpenAsync();
        var kept = await user.AddAsync("INBOX", "kept");
        // A file where the directory of the bodies should be stands for a disk that refuses.
        await File.WriteAllTextAsync(Path.Combine(user.UserDirectory, "contents"), "");
        await Assert.ThrowsAsync<StoreException>(() => user.AddAsync("INBOX", new byte[MessageContents.MaxBodyBytesInDatabase + 1]));
        Assert.Equal("kept"u8.ToArray(), user.Content(Assert.Single(user.Store.LoadMessages(user.Inbox.Id))));
        Assert.Equal(kept.Uid + 1, (await user.AddAsync("INBOX", "next")).Uid);
    }

    private static void SetVersion(StoreFixture user, int version)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(user.UserDirectory, "mail.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The number is the test's own.
        command.CommandText = $"PRAGMA user_version={version}";
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
