using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Authentication.Ldap;
using ImapDirector.Protocol;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static ImapDirector.Director.Authentication.DatabaseAnswerKind;

namespace ImapDirector.Director.Tests.Authentication.Databases;

public sealed class LdapDatabaseTests
{
    private const string Meaningful = " ,+\"\\<>;=#*()\0\r\n/&|!";
    private const string Hashed = "{SSHA}/578uE5FZZZF8f5ZrJ1RaNnJG5HfJdEO";

    [FactIfInstalled("slapd")]
    public async Task Logging_in_there_tells_right_from_wrong_from_nobody()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed), ("gone", Hashed), ("two", Hashed), ("two2", Hashed));
        await using var database = Open(Searching(server.Url) with { DisabledAttribute = "employeeType" });

        Assert.Equal(RightPassword, await AskAsync(database, "alice@example.com", "pässword"));
        Assert.Equal(WrongPassword, await AskAsync(database, "alice@example.com", "password"));
        // To the directory an empty password is no login at all, and right for everybody.
        Assert.Equal(WrongPassword, await AskAsync(database, "alice@example.com", ""));
        Assert.Equal(NoSuchUser, await AskAsync(database, "bob@example.com", "pässword"));
        Assert.Equal(Disabled, await AskAsync(database, "gone@example.com", "pässword"));
        Assert.Equal(Failure, await AskAsync(database, "two@example.com", "pässword"));
        // After a login as somebody else the next search is ours again.
        Assert.Equal(RightPassword, await AskAsync(database, "alice@example.com", "pässword"));
        Assert.Equal(DatabaseAnswerKind.Account, await AskAsync(database, "alice@example.com", null));
        Assert.Equal(NoSuchUser, await AskAsync(database, "bob@example.com", null));
    }

    [FactIfInstalled("slapd")]
    public async Task A_name_that_is_known_needs_no_search()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed));
        await using var database = Open(new LdapDatabaseOptions { Url = server.Url, UserDn = $"uid={{local}},{LdapServer.People}", Timeout = TimeSpan.FromSeconds(30) });

        Assert.Equal(RightPassword, await AskAsync(database, "alice@example.com", "pässword"));
        Assert.Equal(WrongPassword, await AskAsync(database, "alice@example.com", "password"));
        Assert.Equal(WrongPassword, await AskAsync(database, "bob@example.com", "pässword"));
        Assert.Equal(CannotTell, await AskAsync(database, "bob@example.com", null));
    }

    [FactIfInstalled("slapd")]
    public async Task A_hash_that_is_read_there_is_compared_here()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed));
        await using var database = Open(Searching(server.Url) with { PasswordAttribute = "userPassword" });

        var answer = await database.AskAsync(new DatabaseQuestion(User("alice@example.com"), "x"u8.ToArray(), IPAddress.Loopback), CancellationToken.None);

        Assert.Equal(DatabaseAnswerKind.Account, answer.Kind);
        Assert.Equal(Hashed, answer.Account!.Password);
    }

    [FactIfInstalled("slapd")]
    public async Task TLS_is_spoken_from_the_first_byte_or_after_STARTTLS_and_only_with_whom_it_should_be()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed));
        foreach (var (url, startTls) in new[] { (server.TlsUrl, false), (server.Url, true) })
        {
            await using var trusting = Open(Searching(url) with { StartTls = startTls, CaFile = server.CaFile });
            Assert.Equal(RightPassword, await AskAsync(trusting, "alice@example.com", "pässword"));

            await using var suspicious = Open(Searching(url) with { StartTls = startTls });
            Assert.Equal(Failure, await AskAsync(suspicious, "alice@example.com", "pässword"));

            var other = new UriBuilder(url) { Host = "127.0.0.1" }.Uri;
            await using var misled = Open(Searching(other) with { StartTls = startTls, CaFile = server.CaFile });
            Assert.Equal(Failure, await AskAsync(misled, "alice@example.com", "pässword"));
        }
    }

    [FactIfInstalled("slapd")]
    public async Task A_directory_that_is_away_is_no_wrong_password_and_is_found_again()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed));
        await using var database = Open(Searching(server.Url));
        Assert.Equal(RightPassword, await AskAsync(database, "alice@example.com", "pässword"));

        await server.StopAsync();
        Assert.Equal(Failure, await AskAsync(database, "alice@example.com", "pässword"));
        Assert.Equal(Failure, await AskAsync(database, "alice@example.com", "wrong"));

        await server.StartAgainAsync();
        Assert.Equal(RightPassword, await AskAsync(database, "alice@example.com", "pässword"));
    }

    [FactIfInstalled("slapd")]
    public async Task Many_logins_at_once_share_few_connections()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed), ("bob", Hashed));
        await using var database = Open(Searching(server.Url) with { MaxConnections = 2 });

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(number => AskAsync(database, number % 2 == 0 ? "alice@example.com" : "bob@example.com", number < 4 ? "pässword" : "wrong")));
        Assert.Equal([RightPassword, RightPassword, RightPassword, RightPassword, WrongPassword, WrongPassword], answers);
        var question = new DatabaseQuestion(User("alice@example.com"), Encoding.UTF8.GetBytes("pässword"), IPAddress.Loopback);
        var flood = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => database.AskAsync(question, CancellationToken.None).AsTask()));
        Assert.True(flood.Count(answer => answer.Kind == RightPassword) >= 6);
        // The directory is there all the same.
        Assert.All(flood.Where(answer => answer.Kind != RightPassword), answer => Assert.Same(DatabaseAnswer.Busy, answer));
        Assert.Contains(DatabaseAnswer.Busy, flood);
    }

    [FactIfInstalled("slapd")]
    public async Task A_lookup_name_that_is_refused_is_no_wrong_password()
    {
        await using var server = await LdapServer.StartAsync(("alice", Hashed));
        await using var database = Open(Searching(server.Url) with { LookupPassword = "wrong" });
        Assert.Equal(Failure, await AskAsync(database, "alice@example.com", "pässword"));
    }

    [Theory]
    [InlineData("(mail={user})", true)]
    [InlineData("(&(objectClass=*)(|(mail={user})(uid={local}))(!(shadowExpire=0)))", true)]
    [InlineData("mail={user}", false)]
    [InlineData("(mail={user}))", false)]
    [InlineData("(mail={user}", false)]
    [InlineData("(mail=*{user}*)", false)]
    [InlineData("(mail>={user})", false)]
    [InlineData("(&)", false)]
    [InlineData("(!(a=b)(c=d))", false)]
    [InlineData("(a=b)(c=d)", false)]
    [InlineData("()", false)]
    [InlineData("", false)]
    [InlineData("(&(((((((((((((((((((((((((", false)]
    public void A_filter_is_read_strictly(string filter, bool isFilter) => Assert.Equal(isFilter, LdapFilter.TryParse(filter) is not null);

    [Fact]
    public void No_name_has_a_letter_that_means_something_in_a_distinguished_name_or_a_filter()
    {
        for (var letter = '\0'; letter < 0x180; letter++)
        {
            foreach (var text in (string[])[$"{letter}a", $"a{letter}a", $"a{letter}", $"a@{letter}a", $"a@a{letter}"])
            {
                if (UserName.TryCreate(text, "example.com", out var user))
                    Assert.DoesNotContain(user.Value, Meaningful.Contains);
            }
        }
    }

    private static LdapDatabaseOptions Searching(Uri url) => new()
    {
        Url = url,
        Timeout = TimeSpan.FromSeconds(30),
        LookupDn = LdapServer.LookupDn,
        LookupPassword = LdapServer.LookupPassword,
        SearchBase = LdapServer.People,
    };

    private static LdapDatabase Open(LdapDatabaseOptions options) => new(options, NullLogger<LdapDatabase>.Instance);

    private static UserName User(string name) => UserName.TryCreate(name, null, out var user) ? user : throw new ArgumentException(name);

    private static async Task<DatabaseAnswerKind> AskAsync(LdapDatabase database, string name, string? password) =>
        (await database.AskAsync(new DatabaseQuestion(User(name), password is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(password), IPAddress.Loopback), CancellationToken.None)).Kind;
}
