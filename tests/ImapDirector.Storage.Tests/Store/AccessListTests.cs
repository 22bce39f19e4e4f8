using CsCheck;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>What access lists give, and to whom.</summary>
public sealed class AccessListTests
{
    private static readonly Gen<MailboxRights> Rights = Gen.Int[0, (int)MailboxRights.All].Select(static bits => (MailboxRights)bits);

    [Fact]
    public void Rights_are_what_is_given_less_what_is_taken_right_by_right() =>
        Gen.Select(Named("bob", "-bob", "anyone", "-anyone", "bobby", "-carol"), Rights).Array[0, 8].Sample(entries =>
        {
            var given = new AccessList([.. entries.DistinctBy(static entry => entry.Item1).Select(static entry => new AccessEntry(Identifier(entry.Item1), entry.Item2))]);
            MailboxRights Of(string identifier) => given.Entries.FirstOrDefault(entry => entry.Identifier.Value == identifier).Rights;
            for (var bit = 1; bit <= (int)MailboxRights.All; bit <<= 1)
            {
                bool Has(string identifier) => ((int)Of(identifier) & bit) != 0;
                var expected = (Has("bob") || Has("anyone")) && !Has("-bob") && !Has("-anyone");
                Assert.Equal(expected, ((int)given.RightsOf(User("bob")) & bit) != 0);
            }
        });

    [Fact]
    public async Task The_store_says_of_all_mailboxes_what_it_says_of_each()
    {
        await using var user = await StoreFixture.OpenAsync();
        var mailboxes = user.Store.ListMailboxes();
        await Gen.Select(Gen.Int[0, mailboxes.Count - 1], Named("bob", "-bob", "anyone", "-anyone", "carol"), Rights).Array[1, 12].SampleAsync(async changes =>
        {
            foreach (var (mailbox, identifier, rights) in changes) await user.Store.Access.ChangeAsync(mailboxes[mailbox].Id, Identifier(identifier), _ => rights, CancellationToken.None);
            var all = user.Store.Access.RightsOf(User("bob"));
            foreach (var mailbox in mailboxes) Assert.Equal(user.Store.Access.Find(mailbox.Id).RightsOf(User("bob")), all.GetValueOrDefault(mailbox.Id));
        }, iter: 20, threads: 1);
    }

    [Theory]
    [InlineData("'-bob', 'rq'")]
    [InlineData("'../bob', 'r'")]
    [InlineData("'', ''")]
    public async Task A_damaged_list_gives_nothing_to_anybody_and_keeps_its_owner_from_nothing(string row)
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.Access.ChangeAsync(user.Inbox.Id, Identifier("bob"), static _ => MailboxRights.All, CancellationToken.None);
        await user.Store.DisposeAsync();
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(user.UserDirectory, "mail.db")};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // All of it is written here.
            command.CommandText = $"INSERT INTO access VALUES (1, {row})";
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync();
        }
        await user.ReopenAsync();
        Assert.Empty(user.Store.Access.Find(user.Inbox.Id).Entries);
        Assert.Equal("INBOX", user.Inbox.Name.Value);
    }

    private static Gen<string> Named(params string[] names) => Gen.Int[0, names.Length - 1].Select(index => names[index]);

    private static AccessIdentifier Identifier(string text) => AccessIdentifier.TryCreate(text, out var identifier) ? identifier : throw new ArgumentException(text);

    private static UserName User(string name) => UserName.TryCreate(name, null, out var user) ? user : throw new ArgumentException(name);
}
