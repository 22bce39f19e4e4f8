using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>A store that an older program made is brought to today's version when it is opened, with everything in it.</summary>
public sealed class StoreUpgradeTests
{
    [Fact]
    public async Task A_store_of_the_first_version_keeps_its_mail_and_gets_what_is_new()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        foreach (var file in Directory.GetFiles(user.UserDirectory)) File.Delete(file);
        MakeFirstVersion(Path.Combine(user.UserDirectory, "mail.db"));

        await user.ReopenAsync();
        var messages = user.Store.LoadMessages(user.Inbox.Id);
        Assert.Equal([1u, 2u, 5u], messages.Select(static message => message.Uid));
        Assert.Equal([1_000L, 2_000L, 3_000L], messages.Select(static message => message.SavedSeconds));
        Assert.Equal((3u, 2u, 1u), (user.Inbox.Messages, user.Inbox.Unseen, user.Inbox.Deleted));
        Assert.Equal([2u, 5u, 1u], await user.Store.Order.SortedAsync(user.Inbox.Id, [new SortCriterion(SortKey.Subject, Reverse: false)], CancellationToken.None));
        Assert.Equal("\"b\"", Encoding.ASCII.GetString(user.Store.Contents.LoadSummary(messages[0].ContentId).Envelope)[5..8]);
        // What was expunged before is not known: whoever asks is told of all that is missing.
        Assert.Null(user.Store.ExpungedSince(user.Inbox.Id, 3));

        Assert.True(AccessIdentifier.TryCreate("bob@example.com", out var bob));
        Assert.Empty(user.Store.Access.Find(user.Inbox.Id).Entries);
        await user.Store.Access.ChangeAsync(user.Inbox.Id, bob, static _ => MailboxRights.Lookup, CancellationToken.None);
        Assert.Equal([new AccessEntry(bob, MailboxRights.Lookup)], user.Store.Access.Find(user.Inbox.Id).Entries);

        // The two copies share their content until both are gone.
        await user.Store.ExpungeAsync(user.Inbox.Id, [2], CancellationToken.None);
        Assert.NotEmpty(user.Content(messages[2]));
        await user.Store.ExpungeAsync(user.Inbox.Id, [5], CancellationToken.None);
        Assert.Throws<StoreException>(() => user.Content(messages[2]));
        Assert.Equal([new SequenceRange(2, 2), new SequenceRange(5, 5)], user.Store.ExpungedSince(user.Inbox.Id, 4)!);
    }

    [Fact]
    public async Task Names_and_folded_texts_of_an_older_version_are_made_anew()
    {
        await using var user = await StoreFixture.OpenAsync();
        var message = await user.AddAsync("INBOX", "Subject: =?utf-8?q?=C3=BCber?=\r\n\r\nbody\r\n");
        await user.Store.AddTextsAsync([new IndexedText(message.ContentId, "OTHERWISE FOLDED", true)], CancellationToken.None);
        await user.Store.DisposeAsync();
        Run(Path.Combine(user.UserDirectory, "mail.db"), """
            UPDATE sort_keys SET subject = 'Ü';
            INSERT INTO mailboxes (id, name, selectable, uid_validity) VALUES (100, 'Entwürfe', 1, 50), (101, 'Entwürfe', 1, 51), (102, 'Entwürfe/ä', 1, 52);
            INSERT INTO subscriptions VALUES ('Entwürfe/ä');
            PRAGMA user_version=3;
            """.Replace("101, 'Entwürfe'", "101, 'Entwu\u0308rfe'", StringComparison.Ordinal).Replace("Entwürfe/ä", "Entwu\u0308rfe/a\u0308", StringComparison.Ordinal));

        await user.ReopenAsync();
        var names = user.Store.ListMailboxes().Where(static mailbox => mailbox.Id >= 100).OrderBy(static mailbox => mailbox.Id).Select(static mailbox => mailbox.Name.Value);
        Assert.Equal(["Entw\u00fcrfe", "Entw\u00fcrfe 2", "Entw\u00fcrfe/\u00e4"], names);
        Assert.Contains(new MailboxName("Entw\u00fcrfe/\u00e4"), user.Store.ListSubscriptions());
        Assert.Equal([message.ContentId], user.Store.MissingTexts(user.Inbox.Id, 10, CancellationToken.None));
        Assert.Empty(user.Store.TextCandidates("\"OTH\"", CancellationToken.None));
        Assert.Equal([1u], await user.Store.Order.SortedAsync(user.Inbox.Id, [new SortCriterion(SortKey.Subject, Reverse: false)], CancellationToken.None));
        await user.Store.DisposeAsync();
        using var connection = new SqliteConnection($"Data Source={Path.Combine(user.UserDirectory, "mail.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT subject FROM sort_keys";
        Assert.Equal("U\u0308BER", command.ExecuteScalar());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_store_says_whose_it_is(bool isOld)
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        var file = Path.Combine(user.UserDirectory, "mail.db");
        if (isOld)
        {
            foreach (var old in Directory.GetFiles(user.UserDirectory)) File.Delete(old);
            MakeFirstVersion(file);
            await user.ReopenAsync();
            await user.Store.DisposeAsync();
        }
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA application_id";
        Assert.Equal((long)StoreSchema.ApplicationId, command.ExecuteScalar());
    }

    private static void MakeFirstVersion(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // All of it is written here, or in the program.
        command.CommandText = StoreSchema.Steps[0] + """
            INSERT INTO mailboxes (id, name, selectable, uid_validity, uid_next, highest_modseq) VALUES (1, 'INBOX', 1, 77, 6, 4);
            INSERT INTO contents (id, body) VALUES (1, CAST('Subject: b' || char(13, 10, 13, 10) AS BLOB)), (2, CAST('Subject: a' || char(13, 10, 13, 10) AS BLOB));
            INSERT INTO summaries VALUES (1, x'01'), (2, x'01');
            INSERT INTO messages VALUES (1, 1, 2, 0, '', 1000, 0, 14, 1), (1, 2, 3, 1, 'kw', 2000, 0, 14, 2), (1, 5, 4, 8, '', 3000, 0, 14, 2);
            PRAGMA user_version=1;
            """;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static void Run(string file, string statements)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // All of it is written here.
        command.CommandText = statements;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
