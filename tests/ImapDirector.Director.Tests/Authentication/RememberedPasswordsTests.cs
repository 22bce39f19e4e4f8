using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Directory;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

/// <summary>What counts of the password that was right a while ago, and for whom, while a database is away.</summary>
public sealed class RememberedPasswordsTests
{
    private const string Stop = nameof(Stop), Continue = nameof(Continue);
    private static readonly PasswordHasher Hasher = new(1, 10, new HashCost(64, 1, 1));

    [Fact]
    public async Task While_a_database_is_away_another_password_than_the_one_it_had_found_right_is_a_guess()
    {
        var (clock, database) = (new ManualClock(), new AnsweringDatabase());
        var authenticator = Over(clock, Hasher, (Stop, database));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));

        database.Answer = DatabaseAnswer.Failure;
        Assert.Equal(AuthenticationOutcome.LikelyWrong, await LoginAsync(authenticator, "guess"));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));
        // Of whom nothing is remembered, nobody can guess at anything.
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await LoginAsync(authenticator, "guess", "bob"));

        // A busy database is one that knows better, and nobody is let in meanwhile.
        database.Answer = DatabaseAnswer.Busy;
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await LoginAsync(authenticator, "guess"));

        database.Answer = DatabaseAnswer.Failure;
        clock.Advance(new DirectorOptions().AssignmentCacheAge);
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await LoginAsync(authenticator, "guess"));
    }

    [Fact]
    public async Task While_too_many_wait_to_be_hashed_another_password_than_that_of_the_last_minute_is_a_guess()
    {
        var hasher = new PasswordHasher(1, 0, new HashCost(64, 1, 1));
        var hash = (await hasher.HashAsync("secret"u8.ToArray(), CancellationToken.None))!.ToText();
        var (clock, database) = (new ManualClock(), new AnsweringDatabase { Answer = AccountOf(hash) });
        var authenticator = Over(clock, hasher, (Stop, database));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));

        await using var busy = new BusyHasher(hasher);
        Assert.Equal(AuthenticationOutcome.LikelyWrong, await LoginAsync(authenticator, "guess"));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await LoginAsync(authenticator, "secret", "bob"));

        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await LoginAsync(authenticator, "guess"));
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await LoginAsync(authenticator, "secret"));
    }

    [Theory]
    [InlineData(nameof(DatabaseAnswerKind.WrongPassword))]
    [InlineData(nameof(DatabaseAnswerKind.NoSuchUser))]
    [InlineData(nameof(DatabaseAnswerKind.Disabled))]
    public async Task While_too_many_wait_to_be_hashed_what_a_database_has_refused_is_a_guess_all_the_same(string answer)
    {
        var hasher = new PasswordHasher(1, 0, new HashCost(64, 1, 1));
        var authenticator = Over(new ManualClock(), hasher, (Stop, new AnsweringDatabase { Answer = new DatabaseAnswer(Enum.Parse<DatabaseAnswerKind>(answer)) }));
        await using var busy = new BusyHasher(hasher);
        Assert.Equal(AuthenticationOutcome.LikelyWrong, await LoginAsync(authenticator, "guess"));
    }

    /// <summary>The first's rules, who has found the password right, what they say now, what comes of it, and what comes of it once both are away.</summary>
    public static TheoryData<string, int, string, string, string, string> Chains => new()
    {
        // The one that has found it right is away, whatever the other says.
        { Continue, 1, "Failure", "NoSuchUser", "Success", "Success" },
        { Continue, 1, "Failure", "WrongPassword", "Success", "Success" },
        { Continue, 2, "NoSuchUser", "Failure", "Success", "Success" },
        { Continue, 2, "WrongPassword", "Failure", "Success", "Success" },
        // It says otherwise.
        { Continue, 1, "NoSuchUser", "Failure", "TemporaryFailure", "TemporaryFailure" },
        { Continue, 1, "WrongPassword", "Failure", "LikelyWrong", "TemporaryFailure" },
        { Continue, 1, "Disabled", "Failure", "Disabled", "TemporaryFailure" },
        { Continue, 2, "Failure", "NoSuchUser", "TemporaryFailure", "TemporaryFailure" },
        { Continue, 2, "Failure", "WrongPassword", "LikelyWrong", "TemporaryFailure" },
        { Continue, 2, "Failure", "Disabled", "TemporaryFailure", "TemporaryFailure" },
        // The first keeps it from being asked: it is asked.
        { Stop, 2, "Failure", "RightPassword", "Success", "Success" },
        { Stop, 2, "Failure", "Failure", "Success", "Success" },
        { Stop, 2, "Failure", "WrongPassword", "TemporaryFailure", "TemporaryFailure" },
        { Stop, 2, "Failure", "NoSuchUser", "TemporaryFailure", "TemporaryFailure" },
        { Stop, 2, "Failure", "Disabled", "TemporaryFailure", "TemporaryFailure" },
        { Stop, 2, "Failure", "Busy", "TemporaryFailure", "Success" },
        { Stop, 2, "WrongPassword", "Failure", "WrongPassword", "TemporaryFailure" },
        { Continue, 2, "Busy", "Failure", "TemporaryFailure", "Success" },
    };

    [Theory]
    [MemberData(nameof(Chains))]
    public async Task What_a_database_has_found_right_counts_until_that_one_says_otherwise(string rules, int verifiedBy, string first, string second, string outcome, string later)
    {
        var databases = new[] { new AnsweringDatabase(), new AnsweringDatabase() };
        if (verifiedBy == 2) databases[0].Answer = DatabaseAnswer.NoSuchUser;
        var authenticator = Over(new ManualClock(), Hasher, (rules, databases[0]), (Stop, databases[1]));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));

        (databases[0].Answer, databases[1].Answer) = (AnswerOf(first), AnswerOf(second));
        Assert.Equal(outcome, (await LoginAsync(authenticator, "secret")).ToString());

        (databases[0].Answer, databases[1].Answer) = (DatabaseAnswer.Failure, DatabaseAnswer.Failure);
        Assert.Equal(later, (await LoginAsync(authenticator, "secret")).ToString());
    }

    [Fact]
    public async Task A_guess_is_asked_of_no_database_that_the_rules_have_kept_from_being_asked()
    {
        var (first, second) = (new AnsweringDatabase { Answer = DatabaseAnswer.NoSuchUser }, new AnsweringDatabase());
        var authenticator = Over(new ManualClock(), Hasher, (Stop, first), (Stop, second));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));

        first.Answer = DatabaseAnswer.Failure;
        Assert.Equal(AuthenticationOutcome.LikelyWrong, await LoginAsync(authenticator, "guess"));
        Assert.Equal(1, second.Asked);
    }

    [Theory]
    [InlineData("the same", "Success")]
    [InlineData("another", "TemporaryFailure")]
    [InlineData("disabled", "TemporaryFailure")]
    public async Task Behind_one_that_is_away_an_account_counts_while_it_is_the_one_that_the_password_was_compared_with(string account, string outcome)
    {
        var hash = (await Hasher.HashAsync("secret"u8.ToArray(), CancellationToken.None))!.ToText();
        var (first, second) = (new AnsweringDatabase { Answer = DatabaseAnswer.NoSuchUser }, new AnsweringDatabase { Answer = AccountOf(hash) });
        var authenticator = Over(new ManualClock(), Hasher, (Stop, first), (Stop, second));
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(authenticator, "secret"));

        first.Answer = DatabaseAnswer.Failure;
        second.Answer = AccountOf(account == "another" ? (await Hasher.HashAsync("other"u8.ToArray(), CancellationToken.None))!.ToText() : hash, account == "disabled");
        Assert.Equal(outcome, (await LoginAsync(authenticator, "secret")).ToString());
    }

    [Fact]
    public async Task Who_is_locked_out_by_a_directory_s_policy_is_forgotten()
    {
        await using var directory = new SlowDirectory();
        await using var database = new LdapDatabase(new LdapDatabaseOptions { Url = directory.Url, UserDn = "uid={local}" }, NullLogger<LdapDatabase>.Instance);
        var authenticator = Over(new ManualClock(), Hasher, (Stop, database));
        foreach (var (result, outcome) in new[] { (0, AuthenticationOutcome.Success), (52, AuthenticationOutcome.Success), (53, AuthenticationOutcome.Disabled), (52, AuthenticationOutcome.TemporaryFailure) })
        {
            directory.Answer((byte)result);
            Assert.Equal(outcome, await LoginAsync(authenticator, "secret"));
        }
    }

    private static DatabaseAnswer AnswerOf(string answer) => answer == "Busy" ? DatabaseAnswer.Busy : new DatabaseAnswer(Enum.Parse<DatabaseAnswerKind>(answer));

    private static DatabaseAnswer AccountOf(string hash, bool isDisabled = false) => DatabaseAnswer.Of(new Account(hash, isDisabled, DateTimeOffset.UnixEpoch));

    private static Authenticator Over(ManualClock clock, PasswordHasher hasher, params (string Rules, IPasswordDatabase Database)[] steps) =>
        new(new DirectorOptions { DefaultDomain = "example.com" }, new DatabaseChain([.. steps.Select(static step => new ChainStep(step.Database, RulesOf(Enum.Parse<ChainRule>(step.Rules))))]), hasher, NullLoggerFactory.Instance, clock);

    private static RedisDatabaseOptions RulesOf(ChainRule rule) => new() { OnWrongPassword = rule, OnFailure = rule };

    private static async Task<AuthenticationOutcome> LoginAsync(Authenticator authenticator, string password, string name = "alice") =>
        (await authenticator.AuthenticateAsync(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(password), IPAddress.Loopback, default, CancellationToken.None)).Outcome;

    private sealed class AnsweringDatabase : IPasswordDatabase
    {
        public string Name => "answering";

        public DatabaseAnswer Answer { get; set; } = new(DatabaseAnswerKind.RightPassword);

        public int Asked { get; private set; }

        public ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
        {
            Asked++;
            return ValueTask.FromResult(Answer);
        }
    }

    /// <summary>Hashes one for as long as this is there, so that nobody else is hashed where nobody may wait.</summary>
    private sealed class BusyHasher : IAsyncDisposable
    {
        private readonly TaskCompletionSource _release = new();
        private readonly Task _working;

        public BusyHasher(PasswordHasher hasher) => _working = hasher.TakeTurnAsync("x"u8.ToArray(), HashRank.First, async _ =>
        {
            await _release.Task;
            return "done";
        }, CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            _release.SetResult();
            await _working;
        }
    }
}
