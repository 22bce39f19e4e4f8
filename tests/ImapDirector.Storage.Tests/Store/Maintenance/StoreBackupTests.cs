using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Maintenance;

public sealed class StoreBackupTests
{
    private static readonly byte[] Large = Encoding.ASCII.GetBytes("Subject: large\r\n\r\n" + new string('x', MessageContents.MaxBodyBytesInDatabase));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_copy_has_everything_and_is_a_data_directory(bool mayLink)
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "small", new FlagList(SystemFlags.Flagged, ["word"]));
        await user.AddAsync("Sent", Large);
        await IndexAsync(user, 1, "SMALL");
        Assert.True(AccessIdentifier.TryCreate("bob@example.com", out var bob));
        await user.Store.Access.ChangeAsync(user.Inbox.Id, bob, static _ => MailboxRights.Lookup, CancellationToken.None);
        var before = user.Describe();
        using var target = new BackupTarget();
        Assert.Empty(StoreDirectory.Open(user.Directory.FullName).Backup(user.User, target.Path, mayLink, progress: null, CancellationToken.None));
        var copy = StoreDirectory.Open(target.Path);
        Assert.Equal([user.User], copy.ListUsers());
        Assert.Empty(copy.Check(user.User, progress: null, CancellationToken.None));
        Assert.Equal(["contents", "mail.db"], target.Entries(user));

        // Restored: what came since is gone, what was there is there.
        await user.AddAsync("INBOX", "later");
        await user.Store.DisposeAsync();
        Directory.Delete(user.UserDirectory, recursive: true);
        Directory.Move(target.Of(user), user.UserDirectory);
        await user.ReopenAsync();
        Assert.Equal(before, user.Describe());
        Assert.Equal([1], user.Store.TextCandidates("\"MAL\"", CancellationToken.None));
        Assert.Equal([new AccessEntry(bob, MailboxRights.Lookup)], user.Store.Access.Find(user.Inbox.Id).Entries);
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode others = (UnixFileMode)0b000_111_111;
        foreach (var path in Directory.EnumerateFileSystemEntries(user.UserDirectory, "*", SearchOption.AllDirectories).Append(user.UserDirectory))
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & others);
    }

    [Fact]
    public async Task A_copy_made_while_a_writer_is_busy_is_whole()
    {
        await using var user = await StoreFixture.OpenAsync();
        var directory = StoreDirectory.Open(user.Directory.FullName);
        await user.AddAsync("INBOX", Large);
        using var stop = new CancellationTokenSource();
        var busy = Task.Run(async () =>
        {
            for (var round = 0; !stop.IsCancellationRequested; round++)
            {
                var added = await user.AddAsync("INBOX", round % 2 == 0 ? Large : [(byte)round]);
                if (round % 3 != 0) await user.Store.ExpungeAsync(user.Inbox.Id, [added.Uid, added.Uid - 1], CancellationToken.None);
            }
        });
        for (var round = 0; round < 20; round++)
        {
            using var target = new BackupTarget();
            Assert.Empty(directory.Backup(user.User, target.Path, mayLink: round % 2 == 0, progress: null, CancellationToken.None));
            Assert.Empty(StoreDirectory.Open(target.Path).Check(user.User, progress: null, CancellationToken.None));
        }
        await stop.CancelAsync();
        await busy;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_expunged_between_the_database_and_its_file_is_not_in_the_copy(bool mayLink)
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "kept");
        var gone = await user.AddAsync("INBOX", Large);
        await user.Store.CopyAsync(user.Inbox.Id, [gone.Uid], user.Mailbox("Sent").Id, move: false, CancellationToken.None);
        await user.AddAsync("INBOX", Large);
        await IndexAsync(user, gone.ContentId, "LARGE");
        using var target = new BackupTarget();
        UserStorePath.Make(target.Of(user));
        StoreBackup.CopyDatabase(user.UserDirectory, target.Of(user));
        await user.Store.ExpungeAsync(user.Inbox.Id, [gone.Uid], CancellationToken.None);
        await user.Store.ExpungeAsync(user.Mailbox("Sent").Id, [1], CancellationToken.None);
        StoreBackup.CopyContents(user.UserDirectory, target.Of(user), mayLink, CancellationToken.None);
        Assert.Empty(StoreDirectory.Open(target.Path).Check(user.User, progress: null, CancellationToken.None));
        await using var copy = await UserStore.OpenAsync(target.Path, user.User, CancellationToken.None);
        Assert.Empty(copy.TextCandidates("\"ARG\"", CancellationToken.None));
        Assert.Equal([1u, 3u], copy.LoadMessages(copy.FindMailbox(MailboxName.Inbox)!.Id).Select(message => message.Uid));
    }

    [Fact]
    public async Task A_crash_leaves_a_log_that_is_read_with_the_rest()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "in the log");
        using var target = new BackupTarget();
        UserStorePath.Make(target.Of(user));
        // As they lie there while the store is open, the log with what is not in the database yet.
        foreach (var name in new[] { "mail.db", "mail.db-wal" }) File.Copy(Path.Combine(user.UserDirectory, name), Path.Combine(target.Of(user), name));
        var crashed = StoreDirectory.Open(target.Path);
        Assert.Empty(crashed.Check(user.User, progress: null, CancellationToken.None));
        Assert.Equal(1, crashed.Export(user.User, Path.Combine(target.Path, "mbox"), MailFormat.Mbox, keepUids: false, progress: null, CancellationToken.None).Messages);
        using var second = new BackupTarget();
        Assert.Empty(crashed.Backup(user.User, second.Path, mayLink: true, progress: null, CancellationToken.None));
        await using var copy = await UserStore.OpenAsync(second.Path, user.User, CancellationToken.None);
        Assert.Equal(1u, copy.FindMailbox(MailboxName.Inbox)!.Messages);
    }

    [Fact]
    public async Task A_lost_file_is_told_and_the_rest_is_copied()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "small");
        await user.AddAsync("INBOX", Large);
        File.Delete(user.ContentFile());
        using var target = new BackupTarget();
        var finding = Assert.Single(StoreDirectory.Open(user.Directory.FullName).Backup(user.User, target.Path, mayLink: true, progress: null, CancellationToken.None));
        Assert.Equal(StoreFindingKind.Content, finding.Kind);
        Assert.True(StoreDirectory.Open(target.Path).Holds(user.User));
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_leaves_no_half_copy()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(user.UserDirectory, "mail.db"), new string('x', 8192));
        using var target = new BackupTarget();
        var finding = Assert.Single(StoreDirectory.Open(user.Directory.FullName).Backup(user.User, target.Path, mayLink: true, progress: null, CancellationToken.None));
        Assert.Contains("cannot be backed up", finding.What, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(target.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_vacuum_gives_room_back_and_changes_nothing_else()
    {
        await using var user = await StoreFixture.OpenAsync();
        for (var number = 0; number < 50; number++) await user.AddAsync("Trash", new string('x', 20_000));
        var large = await user.AddAsync("INBOX", Large);
        await IndexAsync(user, 1, "SOON GONE");
        await IndexAsync(user, large.ContentId, "LARGE");
        await user.Store.ExpungeAsync(user.Mailbox("Trash").Id, [.. Enumerable.Range(1, 49).Select(static uid => (uint)uid)], CancellationToken.None);
        var before = user.Describe();
        await user.Store.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(user.UserDirectory, "contents", Guid.NewGuid().ToString("N")), "half a message");
        using (var taken = StoreDirectory.Open(user.Directory.FullName).Take())
        {
            var (freed, findings) = taken.Vacuum(user.User, progress: null, CancellationToken.None);
            Assert.Empty(findings);
            Assert.True(freed > 49 * 20_000);
        }
        Assert.NotNull(user.ContentFile());
        await user.ReopenAsync();
        Assert.Equal(before, user.Describe());
        Assert.Equal([large.ContentId], user.Store.TextCandidates("\"ARG\"", CancellationToken.None));
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task A_damaged_store_is_not_vacuumed()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", Large);
        await user.DamageAsync("DELETE FROM contents");
        using var taken = StoreDirectory.Open(user.Directory.FullName).Take();
        Assert.NotEmpty(taken.Vacuum(user.User, progress: null, CancellationToken.None).Findings);
        Assert.NotNull(user.ContentFile());
    }

    private static Task IndexAsync(StoreFixture user, long content, string text) => user.Store.AddTextsAsync([new IndexedText(content, text, true)], CancellationToken.None);

    private sealed class BackupTarget : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("imapdirector-").FullName;

        public string Of(StoreFixture user) => UserStorePath.Of(Path, user.User);

        public string[] Entries(StoreFixture user) => [.. Directory.EnumerateFileSystemEntries(Of(user)).Select(entry => System.IO.Path.GetFileName(entry)).Order()];

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
