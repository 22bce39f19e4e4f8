using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static ImapDirector.Director.Authentication.DatabaseAnswerKind;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class DatabaseChainTests
{
    private static readonly RedisDatabaseOptions Usual = new();
    private static readonly RedisDatabaseOptions Patient = new() { OnWrongPassword = ChainRule.Continue, OnFailure = ChainRule.Continue };
    private static readonly RedisDatabaseOptions Final = new() { OnNoSuchUser = ChainRule.Stop };

    public static TheoryData<string, string, int> Rules => new()
    {
        { "usual RightPassword, usual NoSuchUser", nameof(AuthenticationOutcome.Success), 1 },
        { "usual NoSuchUser, usual RightPassword", nameof(AuthenticationOutcome.Success), 2 },
        { "usual NoSuchUser, usual NoSuchUser", nameof(AuthenticationOutcome.NoSuchUser), 2 },
        { "usual WrongPassword, usual RightPassword", nameof(AuthenticationOutcome.WrongPassword), 1 },
        { "patient WrongPassword, usual RightPassword", nameof(AuthenticationOutcome.Success), 2 },
        { "patient WrongPassword, usual NoSuchUser", nameof(AuthenticationOutcome.WrongPassword), 2 },
        { "usual Failure, usual RightPassword", nameof(AuthenticationOutcome.TemporaryFailure), 1 },
        { "patient Failure, usual RightPassword", nameof(AuthenticationOutcome.Success), 2 },
        // What one could not tell is never told as a wrong password.
        { "patient Failure, usual NoSuchUser", nameof(AuthenticationOutcome.TemporaryFailure), 2 },
        { "patient Failure, usual WrongPassword", nameof(AuthenticationOutcome.LikelyWrong), 2 },
        { "patient WrongPassword, usual Failure", nameof(AuthenticationOutcome.LikelyWrong), 2 },
        { "patient Disabled, usual RightPassword", nameof(AuthenticationOutcome.Disabled), 1 },
        { "final NoSuchUser, usual RightPassword", nameof(AuthenticationOutcome.NoSuchUser), 1 },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task The_next_database_is_asked_as_the_rules_say(string script, string outcome, int asked)
    {
        var databases = script.Split(", ").Select(step => step.Split(' ')).Select(step => (Rules: step[0], Database: new FixedDatabase(Enum.Parse<DatabaseAnswerKind>(step[1])))).ToArray();
        await using var chain = new DatabaseChain([.. databases.Select(step => new ChainStep(step.Database, step.Rules switch { "patient" => Patient, "final" => Final, _ => Usual }))]);
        var hasher = new PasswordHasher(1, 10, new HashCost(64, 1, 1));
        var authenticator = new Authenticator(new DirectorOptions { DefaultDomain = "example.com" }, chain, hasher, NullLoggerFactory.Instance, new ManualClock());

        var result = await authenticator.AuthenticateAsync("alice"u8.ToArray(), "secret"u8.ToArray(), IPAddress.Loopback, default, CancellationToken.None);

        Assert.Equal(outcome, result.Outcome.ToString());
        Assert.Equal(asked, databases.Sum(step => step.Database.Questions.Count));
        Assert.All(databases.SelectMany(step => step.Database.Questions), question => Assert.Equal("alice@example.com", question.User.Value));
    }

    [Fact]
    public async Task No_database_sees_an_empty_password_or_an_endless_one()
    {
        var database = new FixedDatabase(RightPassword);
        await using var chain = new DatabaseChain([new ChainStep(database, Usual)]);
        var hasher = new PasswordHasher(1, 10, new HashCost(64, 1, 1));
        var authenticator = new Authenticator(new DirectorOptions { DefaultDomain = "example.com" }, chain, hasher, NullLoggerFactory.Instance, new ManualClock());

        foreach (var (length, outcome) in new[] { (0, AuthenticationOutcome.WrongPassword), (1, AuthenticationOutcome.Success), (1024, AuthenticationOutcome.Success), (1025, AuthenticationOutcome.WrongPassword) })
            Assert.Equal(outcome, (await authenticator.AuthenticateAsync("alice"u8.ToArray(), Encoding.ASCII.GetBytes(new string('x', length)), IPAddress.Loopback, default, CancellationToken.None)).Outcome);
        Assert.Equal(2, database.Questions.Count);
    }

    [Theory]
    [InlineData(nameof(DatabaseAnswerKind.Account))]
    [InlineData(nameof(NoSuchUser))]
    [InlineData(nameof(Failure))]
    [InlineData(nameof(CannotTell))]
    public async Task Whether_there_is_a_user_is_asked_without_a_password(string answer)
    {
        var database = new FixedDatabase(Enum.Parse<DatabaseAnswerKind>(answer));
        await using var chain = new DatabaseChain([new ChainStep(database, Usual), new ChainStep(new FixedDatabase(NoSuchUser), Usual)]);

        Assert.Equal(answer, (await chain.FindAsync(TestDirector.User("alice@example.com"), IPAddress.None, CancellationToken.None)).Answer.Kind.ToString());
        Assert.Null(Assert.Single(database.Questions).Password);
    }

    private sealed class FixedDatabase(DatabaseAnswerKind kind) : IPasswordDatabase
    {
        public List<DatabaseQuestion> Questions { get; } = [];

        public string Name => "fixed";

        public ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
        {
            Questions.Add(question);
            return ValueTask.FromResult(kind == DatabaseAnswerKind.Account ? DatabaseAnswer.Of(new Account("", false, DateTimeOffset.UnixEpoch)) : new DatabaseAnswer(kind));
        }
    }
}
