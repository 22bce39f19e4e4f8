using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Maintenance;

public sealed class StoreCheckAndRepairTests
{
    private static readonly byte[] Large = Encoding.ASCII.GetBytes("Subject: large\r\n\r\n" + new string('x', MessageContents.MaxBodyBytesInDatabase));

    public static TheoryData<string, StoreFindingKind, string> Damages => new()
    {
        { "UPDATE mailboxes SET messages = 7 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has 7 messages in its counter where there are 3" },
        { "UPDATE mailboxes SET unseen = 0 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has 0 unseen messages in its counter where there are 2" },
        { "UPDATE mailboxes SET deleted = 9 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has 9 deleted messages in its counter where there are 1" },
        { "UPDATE mailboxes SET size_bytes = -1 WHERE name = 'Sent'", StoreFindingKind.Counter, "\"Sent\" has -1 bytes in its counter where there are 5" },
        { "UPDATE mailboxes SET uid_next = 3 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has UIDNEXT 3 where the highest UID is 3" },
        { "UPDATE mailboxes SET highest_modseq = 1 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has HIGHESTMODSEQ 1 where a message has 4" },
        { "UPDATE mailboxes SET first_recent_uid = 99 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has 99 as the first recent UID where UIDNEXT is 4" },
        { "UPDATE mailboxes SET uid_validity = 0 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has UIDVALIDITY 0, which cannot be" },
        { "DELETE FROM counters", StoreFindingKind.Counter, "the counter of UIDVALIDITY is missing" },
        { "UPDATE counters SET value = 1", StoreFindingKind.Counter, "the counter of UIDVALIDITY is 1, below a mailbox's " },
        { "UPDATE content_references SET messages = 0 WHERE content_id = 1", StoreFindingKind.Counter, "content 1 has 0 references in its counter where there are 2" },
        { "UPDATE content_references SET messages = 5 WHERE content_id = 2", StoreFindingKind.Counter, "content 2 has 5 references in its counter where there are 1" },
        { "DELETE FROM summaries WHERE content_id = 1", StoreFindingKind.Summary, "content 1 has no summary" },
        { "UPDATE summaries SET summary = CAST(substr(summary, 1, 1) || x'ffffffff07' AS BLOB) WHERE content_id = 1", StoreFindingKind.Summary, "content 1 has a damaged summary" },
        { "UPDATE summaries SET summary = (SELECT summary FROM summaries WHERE content_id = 3) WHERE content_id = 1", StoreFindingKind.Summary, "content 1 has a damaged summary" },
        { "INSERT INTO summaries VALUES (77, x'01', NULL)", StoreFindingKind.Summary, "there is a summary of content 77, which does not exist" },
        { "UPDATE messages SET size_bytes = 4 WHERE content_id = 1 AND mailbox_id = 1", StoreFindingKind.Content, "\"INBOX\" UID 1 has 5 bytes where 4 were written down" },
        { "UPDATE messages SET flags = 1023 WHERE uid = 2", StoreFindingKind.Message, "\"INBOX\" UID 2 has flags that do not exist" },
        { "UPDATE messages SET date_offset = 100000 WHERE uid = 2", StoreFindingKind.Message, "\"INBOX\" UID 2 has a date that cannot be" },
        { "UPDATE messages SET date_seconds = 9000000000000000 WHERE uid = 2", StoreFindingKind.Message, "\"INBOX\" UID 2 has a date that cannot be" },
        { "UPDATE messages SET keywords = 'a b)' || char(13, 10) || ' c' WHERE uid = 2", StoreFindingKind.Message, "\"INBOX\" UID 2 has keywords that cannot be" },
        { "UPDATE mailboxes SET name = 'a//b' WHERE name = 'Archive'", StoreFindingKind.Mailbox, "\"a//b\" is no name that a mailbox can have" },
        { "UPDATE mailboxes SET name = 'inbox' WHERE name = 'INBOX'", StoreFindingKind.Mailbox, "there is no INBOX that can be selected" },
        { "UPDATE mailboxes SET selectable = 0 WHERE name = 'Sent'", StoreFindingKind.Mailbox, "\"Sent\" cannot be selected and has messages" },
        { "DELETE FROM mailboxes WHERE name = 'Sent'", StoreFindingKind.Mailbox, "does not exist, where messages are in it" },
        { "UPDATE messages SET saved_seconds = 9000000000000000 WHERE uid = 2", StoreFindingKind.Message, "\"INBOX\" UID 2 came at a time that cannot be" },
        { "INSERT INTO sort_keys SELECT 77, sent_seconds, subject, is_reply, from_mailbox, to_mailbox, cc_mailbox, from_name, to_name, message_id, parents FROM sort_keys LIMIT 1", StoreFindingKind.Summary, "there are sort keys of content 77, which does not exist" },
        { "UPDATE sort_keys SET parents = x'00' WHERE content_id = 1", StoreFindingKind.Summary, "content 1 has damaged sort keys" },
        { "INSERT INTO indexed_texts VALUES (77, 1); INSERT INTO texts (rowid, text) VALUES (77, 'XYZ')", StoreFindingKind.Summary, "the text index has content 77, which does not exist" },
        { "INSERT INTO metadata VALUES (77, '/private/comment', x'00')", StoreFindingKind.Mailbox, "mailbox 77 does not exist, where annotations are of it" },
        { "INSERT INTO access VALUES (77, 'bob@example.com', 'lr')", StoreFindingKind.Mailbox, "mailbox 77 does not exist, where an access list is of it" },
        { "INSERT INTO access VALUES (1, 'bob@example.com', 'lrq')", StoreFindingKind.Mailbox, "\"INBOX\" has an access list that cannot be" },
        { "INSERT INTO access VALUES (1, '../bob', 'lr')", StoreFindingKind.Mailbox, "\"INBOX\" has an access list that cannot be" },
        { "UPDATE mailboxes SET expunge_rows = 7 WHERE name = 'INBOX'", StoreFindingKind.Counter, "\"INBOX\" has 7 rows of expunged UIDs in its counter where there are 0" },
        { "INSERT INTO expunges VALUES (1, 99, 1, 1, NULL)", StoreFindingKind.Mailbox, "\"INBOX\" has a list of expunged UIDs that cannot be" },
        { "INSERT INTO expunges VALUES (1, 2, 9, 9, NULL)", StoreFindingKind.Mailbox, "\"INBOX\" has a list of expunged UIDs that cannot be" },
        { "INSERT INTO expunges VALUES (77, 2, 1, 1, NULL)", StoreFindingKind.Mailbox, "mailbox 77 does not exist, where expunged UIDs are of it" },
        { "UPDATE mailboxes SET expunges_forgotten = 99 WHERE name = 'INBOX'", StoreFindingKind.Mailbox, "\"INBOX\" has a list of expunged UIDs that cannot be" },
        { "DROP INDEX deliveries_by_time", StoreFindingKind.Schema, "the index deliveries_by_time is missing" },
        { "DROP INDEX deliveries_by_time; CREATE INDEX deliveries_by_time ON deliveries (mailbox_id)", StoreFindingKind.Schema, "the index deliveries_by_time is not as this program makes it" },
        { "INSERT INTO expunges VALUES (1, 2, 1, 9, x'00')", StoreFindingKind.Mailbox, "\"INBOX\" has a list of expunged UIDs that cannot be" },
        { "INSERT INTO flag_changes VALUES (1, 1, 2, 1, 1, 0)", StoreFindingKind.Mailbox, "\"INBOX\" has changes of flags that cannot be" },
        { "INSERT INTO flag_changes VALUES (99, 1, 1, 1, 1, 0)", StoreFindingKind.Mailbox, "a mailbox that does not exist has changes of flags that cannot be" },
        { "INSERT INTO content_references VALUES (77, 1)", StoreFindingKind.Counter, "references are counted of content 77, which does not exist" },
        { "DROP INDEX unreferenced_content", StoreFindingKind.Schema, "the index unreferenced_content is missing" },
    };

    [Fact]
    public async Task A_store_that_was_only_used_has_no_findings()
    {
        await using var user = await FilledAsync();
        Assert.Empty(user.Check());
        Assert.Empty(await user.RepairAsync());
        await user.Store.DisposeAsync();
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task A_content_that_was_altered_and_kept_its_length_is_found_with_its_messages_and_left()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "Subject: small\r\n\r\n");
        await user.AddAsync("Sent", "Subject: large\r\n\r\n" + new string('x', MessageContents.MaxBodyBytesInDatabase));
        await user.AddAsync("Sent", "Subject: well\r\n\r\n");
        await user.DamageAsync("UPDATE contents SET body = CAST('Subject: smell' || char(13, 10, 13, 10) AS BLOB) WHERE id = 1");
        await using (var file = File.OpenWrite(user.ContentFile())) file.Write("s"u8);
        string[] expected =
        [
            "content 1 is not what was received, its digest is another: \"INBOX\" UID 1",
            "content 2 is not what was received, its digest is another: \"Sent\" UID 1",
        ];
        Assert.Equal(expected, user.Check().Select(static finding => finding.What));
        Assert.All(await user.RepairAsync(), static finding => Assert.False(finding.IsMended));
        await user.ReopenAsync();
        Assert.StartsWith("Subject: smell", System.Text.Encoding.ASCII.GetString(user.Content(user.Store.LoadMessages(user.Inbox.Id)[0])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_summary_that_is_mended_keeps_the_digest_beside_it()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "Subject: small\r\n\r\n");
        await user.DamageAsync("UPDATE summaries SET summary = x'0102'");
        Assert.All(await user.RepairAsync(), static finding => Assert.True(finding.IsMended));
        await user.DamageAsync("UPDATE contents SET body = CAST('Subject: smell' || char(13, 10, 13, 10) AS BLOB)");
        Assert.Contains("its digest is another", Assert.Single(user.Check()).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_who_never_came_is_well()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        File.Delete(Path.Combine(user.UserDirectory, "mail.db"));
        Assert.Empty(user.Check());
        await File.WriteAllBytesAsync(Path.Combine(user.UserDirectory, "mail.db"), []);
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task A_store_that_no_node_has_opened_since_an_upgrade_is_checked_as_it_is_and_mended_as_a_new_one()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        var file = Path.Combine(user.UserDirectory, "mail.db");
        File.Delete(file);
        await File.WriteAllBytesAsync(file, []);
        await user.DamageAsync(StoreSchema.Steps[0] + """
            PRAGMA journal_mode = WAL;
            UPDATE counters SET value = 5;
            INSERT INTO mailboxes (name, selectable, uid_validity, uid_next) VALUES ('INBOX', 1, 5, 2);
            INSERT INTO contents (body) VALUES (x'74657874');
            INSERT INTO messages VALUES (1, 1, 1, 0, '', 0, 0, 4, 1);
            PRAGMA user_version = 1;
            """);
        Assert.Equal("content 1 has no summary", Assert.Single(user.Check()).What);
        Assert.Equal(1, StoreDirectory.Open(user.Directory.FullName).Export(user.User, Path.Combine(user.Directory.FullName, "mail"), MailFormat.Maildir, keepUids: true, progress: null, CancellationToken.None).Messages);
        Assert.True(Assert.Single(await user.RepairAsync()).IsMended);
        await user.ReopenAsync();
        Assert.Equal("text"u8.ToArray(), user.Content(Assert.Single(user.Store.LoadMessages(user.Inbox.Id))));
        // Nobody knows what its digest was.
        Assert.Empty(user.Check());
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task What_is_wrong_is_found_and_mended_and_nothing_is_lost(string sql, StoreFindingKind kind, string what)
    {
        await using var user = await FilledAsync();
        var before = Texts(user);
        await user.DamageAsync(sql);
        Assert.Contains(user.Check(), finding => finding.Kind == kind && finding.What.Contains(what, StringComparison.Ordinal));
        var mended = await user.RepairAsync();
        Assert.All(mended, finding => Assert.True(finding.IsMended, finding.What));
        Assert.Contains(mended, finding => finding.Kind == kind && finding.What.Contains(what, StringComparison.Ordinal));
        Assert.Empty(user.Check());
        await user.ReopenAsync();
        Assert.Equal(before, Texts(user));
        // It takes mail as before.
        var added = await user.AddAsync("INBOX", "new");
        Assert.Equal(added.Uid, user.Store.LoadMessages(user.Inbox.Id)[^1].Uid);
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task Counters_and_uids_after_a_repair_are_what_they_were()
    {
        await using var user = await FilledAsync();
        var before = user.Describe();
        await user.DamageAsync("UPDATE mailboxes SET messages = 9, unseen = 9, deleted = 9, size_bytes = 9; UPDATE content_references SET messages = 9; DELETE FROM summaries");
        await user.RepairAsync();
        await user.ReopenAsync();
        Assert.Equal(before, user.Describe());
        Assert.All(user.Store.LoadMessages(user.Inbox.Id), message => Assert.NotEmpty(user.Store.Contents.LoadSummary(message.ContentId).Envelope));
    }

    [Fact]
    public async Task A_content_that_no_message_refers_to_becomes_a_message()
    {
        await using var user = await FilledAsync();
        await user.DamageAsync("DELETE FROM messages WHERE content_id IN (1, 3)");
        Assert.Equal(2, user.Check().Count(finding => finding.Kind == StoreFindingKind.Content));
        Assert.All(await user.RepairAsync(), finding => Assert.True(finding.IsMended, finding.What));
        await user.ReopenAsync();
        var back = user.Store.LoadMessages(user.Mailbox("Recovered").Id);
        Assert.Equal([5u, (uint)Large.Length], back.Select(message => message.SizeBytes));
        Assert.Equal(Large, user.Content(back[1]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_whose_file_is_missing_is_kept_until_it_is_told_to_go(bool removeLost)
    {
        await using var user = await FilledAsync();
        await user.Store.DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(user.ContentFile());
        var file = user.ContentFile();
        File.Delete(file);
        Assert.Contains("\"INBOX\" UID 3 has lost what it says: the content file", Assert.Single(user.Check()).What, StringComparison.Ordinal);
        Assert.Equal(removeLost, Assert.Single(await user.RepairAsync(removeLost)).IsMended);
        if (!removeLost)
        {
            // Nothing was done that would be in the way of a backup.
            await File.WriteAllBytesAsync(file, bytes);
            Assert.Empty(user.Check());
        }
        await user.ReopenAsync();
        Assert.Equal(removeLost ? 2 : 3, user.Store.LoadMessages(user.Inbox.Id).Count);
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task With_lost_contents_no_stray_file_is_removed()
    {
        await using var user = await FilledAsync();
        var name = Path.GetFileName(user.ContentFile());
        await user.DamageAsync($"UPDATE contents SET file = '{Guid.NewGuid():N}' WHERE file = '{name}'");
        Assert.Equal(2, user.Check().Count);
        Assert.All(await user.RepairAsync(), finding => Assert.False(finding.IsMended));
        Assert.Equal(name, Path.GetFileName(user.ContentFile()));
    }

    [Fact]
    public async Task A_message_without_a_row_of_its_content_is_told()
    {
        await using var user = await FilledAsync();
        await user.DamageAsync("DELETE FROM contents WHERE id = 2");
        Assert.Contains(user.Check(), finding => finding.What == "\"INBOX\" UID 2 has lost what it says: the database has no such content");
        Assert.DoesNotContain(await user.RepairAsync(removeLost: true), finding => !finding.IsMended);
        await user.ReopenAsync();
        Assert.Equal([1u, 3u], user.Store.LoadMessages(user.Inbox.Id).Select(message => message.Uid));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(200_000)]
    public async Task A_file_of_another_length_is_told_and_made_readable(int length)
    {
        await using var user = await FilledAsync();
        await user.Store.DisposeAsync();
        await using (var file = File.OpenWrite(user.ContentFile())) file.SetLength(length);
        Assert.Contains(user.Check(), finding => finding.What == $"\"INBOX\" UID 3 has {length} bytes where {Large.Length} were written down");
        Assert.All(await user.RepairAsync(), finding => Assert.True(finding.IsMended, finding.What));
        await user.ReopenAsync();
        var message = user.Store.LoadMessages(user.Inbox.Id)[2];
        Assert.Equal((uint)length, message.SizeBytes);
        Assert.Equal(length, user.Store.Contents.LoadSummary(message.ContentId).Parts[0].End);
    }

    [Fact]
    public async Task A_file_that_nothing_refers_to_is_told_once_it_is_old_enough_to_be_none_that_is_being_written()
    {
        await using var user = await FilledAsync();
        var stray = Path.Combine(user.UserDirectory, "contents", Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(stray, "half a message");
        Assert.Empty(StoreDirectory.Open(user.Directory.FullName).Check(user.User, progress: null, CancellationToken.None));
        File.SetLastWriteTimeUtc(stray, DateTime.UtcNow.AddHours(-1));
        Assert.Equal(StoreFindingKind.File, Assert.Single(StoreDirectory.Open(user.Directory.FullName).Check(user.User, progress: null, CancellationToken.None)).Kind);
        await user.Store.DisposeAsync();
        Assert.True(Assert.Single(await user.RepairAsync()).IsMended);
        Assert.False(File.Exists(stray));
        Assert.True(File.Exists(user.ContentFile()));
    }

    [Fact]
    public async Task A_name_out_of_the_database_never_leads_out_of_the_directory()
    {
        await using var user = await FilledAsync();
        await File.WriteAllTextAsync(Path.Combine(user.UserDirectory, "secret"), "x");
        await user.DamageAsync("UPDATE contents SET file = '../secret' WHERE id = 3");
        Assert.Contains(user.Check(), finding => finding.What.Contains("\"../secret\" is no name of a content file", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_foreign_trigger_is_told_and_left()
    {
        await using var user = await FilledAsync();
        await user.DamageAsync("CREATE TRIGGER thief AFTER INSERT ON messages BEGIN SELECT 1; END");
        Assert.Equal("the trigger \"thief\" is not this program's", Assert.Single(user.Check()).What);
        Assert.False(Assert.Single(await user.RepairAsync()).IsMended);
    }

    [Fact]
    public async Task An_index_that_does_not_match_its_table_is_made_anew()
    {
        await using var user = await FilledAsync();
        var before = Texts(user);
        // The rows change, the index does not notice.
        await user.DamageAsync("""
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = 'CREATE INDEX unreferenced_content ON content_references (messages) WHERE messages = 0' WHERE name = 'unreferenced_content';
            """);
        await user.DamageAsync("UPDATE content_references SET messages = 0");
        await user.DamageAsync("""
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = 'CREATE INDEX unreferenced_content ON content_references (content_id) WHERE messages = 0' WHERE name = 'unreferenced_content';
            """);
        Assert.Contains(user.Check(), finding => finding.Kind == StoreFindingKind.Database);
        Assert.All(await user.RepairAsync(), finding => Assert.True(finding.IsMended, finding.What));
        await user.ReopenAsync();
        Assert.Equal(before, Texts(user));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("text")]
    [InlineData("missing")]
    [InlineData("empty")]
    [InlineData("newer")]
    public async Task A_database_that_cannot_be_read_is_told_and_left_as_it_is(string how)
    {
        await using var user = await FilledAsync();
        await user.DamageAsync(how == "newer" ? "PRAGMA user_version = 99" : "SELECT 1");
        var file = Path.Combine(user.UserDirectory, "mail.db");
        if (how == "nothing") await File.WriteAllBytesAsync(file, new byte[new FileInfo(file).Length]);
        if (how == "text") await File.WriteAllTextAsync(file, new string('x', 8192));
        if (how == "empty") await File.WriteAllBytesAsync(file, []);
        if (how == "missing") File.Delete(file);
        var bytes = File.Exists(file) ? await File.ReadAllBytesAsync(file) : [];
        Assert.Equal(StoreFindingKind.Database, Assert.Single(user.Check()).Kind);
        Assert.False(Assert.Single(await user.RepairAsync(removeLost: true)).IsMended);
        Assert.Equal(bytes, File.Exists(file) ? await File.ReadAllBytesAsync(file) : []);
        Assert.True(File.Exists(user.ContentFile()));
    }

    [Fact]
    public async Task A_page_that_is_damaged_is_told()
    {
        await using var user = await FilledAsync();
        await user.Store.DisposeAsync();
        var file = Path.Combine(user.UserDirectory, "mail.db");
        var bytes = await File.ReadAllBytesAsync(file);
        for (var page = 4096; page < bytes.Length; page += 4096)
        {
            var damaged = bytes.ToArray();
            damaged.AsSpan(page, 4096).Fill(0xA5);
            await File.WriteAllBytesAsync(file, damaged);
            Assert.NotEmpty(user.Check());
        }
    }

    [Fact]
    public async Task A_check_beside_a_busy_node_finds_nothing()
    {
        await using var user = await FilledAsync();
        var directory = StoreDirectory.Open(user.Directory.FullName);
        using var stop = new CancellationTokenSource();
        var busy = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var added = await user.AddAsync("INBOX", Large);
                await user.Store.CopyAsync(user.Inbox.Id, [added.Uid], user.Mailbox("Sent").Id, move: true, CancellationToken.None);
                await user.Store.ExpungeAsync(user.Mailbox("Sent").Id, [.. user.Store.LoadMessages(user.Mailbox("Sent").Id).Skip(1).Select(message => message.Uid)], CancellationToken.None);
            }
        });
        for (var round = 0; round < 30; round++) Assert.Empty(directory.Check(user.User, progress: null, CancellationToken.None));
        await stop.CancelAsync();
        await busy;
    }

    [Fact]
    public async Task A_renewed_uidvalidity_is_one_that_no_mailbox_had()
    {
        await using var user = await FilledAsync();
        var before = user.Store.ListMailboxes();
        await user.Store.DisposeAsync();
        using (var taken = StoreDirectory.Open(user.Directory.FullName).Take()) await taken.RenewUidValidityAsync(user.User, CancellationToken.None);
        await user.ReopenAsync();
        var after = user.Store.ListMailboxes();
        Assert.True(after.Min(mailbox => mailbox.UidValidity) > before.Max(mailbox => mailbox.UidValidity));
        Assert.Equal(after.Count, after.Select(mailbox => mailbox.UidValidity).Distinct().Count());
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task A_directory_in_use_cannot_be_taken()
    {
        await using var user = await StoreFixture.OpenAsync();
        var directory = StoreDirectory.Open(user.Directory.FullName);
        using (directory.Take()) Assert.Throws<StoreDirectoryInUseException>(directory.Take);
        using (directory.Take())
        {
            // Free again.
        }
        Assert.Equal([user.User], directory.ListUsers());
    }

    private static async Task<StoreFixture> FilledAsync()
    {
        var user = await StoreFixture.OpenAsync();
        var first = await user.AddAsync("INBOX", "1\r\n\r\n", new FlagList(SystemFlags.Seen | SystemFlags.Deleted, ["$Label1"]));
        await user.AddAsync("INBOX", "Subject: 2\r\n\r\nzwei");
        await user.AddAsync("INBOX", Large);
        await user.Store.CopyAsync(user.Inbox.Id, [first.Uid], user.Mailbox("Sent").Id, move: false, CancellationToken.None);
        return user;
    }

    /// <summary>What all messages say, wherever they are.</summary>
    private static List<string> Texts(StoreFixture user) =>
        [.. user.Store.ListMailboxes().SelectMany(mailbox => user.Store.LoadMessages(mailbox.Id)).Select(message => Convert.ToHexString(user.Content(message))).Order()];
}
