using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class AuthenticatorTests
{
    private const string AliceAccount = "imapdirector:{alice@example.com}:account";

    [Theory, OnRedis, OnGarnet]
    public async Task A_right_password_is_right_for_every_spelling_of_the_name(RedisKind kind)
    {
        await using var server = await AccountServer.StartAsync(kind);

        foreach (var name in (string[])["alice@example.com", "Alice@EXAMPLE.com", "alice+lists@example.com", "alice"])
        {
            var result = await server.LoginAsync(name, "secret");
            Assert.Equal(AuthenticationOutcome.Success, result.Outcome);
            Assert.Equal("alice@example.com", result.User.Value);
        }
        Assert.Equal(AuthenticationOutcome.WrongPassword, (await server.LoginAsync("alice", "Secret")).Outcome);
        Assert.Equal(AuthenticationOutcome.WrongPassword, (await server.LoginAsync("alice", "")).Outcome);
        Assert.Equal(AuthenticationOutcome.NoSuchUser, (await server.LoginAsync("bob", "secret")).Outcome);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_disabled_account_is_refused_also_when_its_password_was_right_a_moment_ago(RedisKind kind)
    {
        await using var server = await AccountServer.StartAsync(kind);
        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "secret")).Outcome);

        await server.Redis.Database.HashSetAsync(AliceAccount, "disabled", 1);

        Assert.Equal(AuthenticationOutcome.Disabled, (await server.LoginAsync("alice", "secret")).Outcome);
        Assert.Equal(AuthenticationOutcome.WrongPassword, (await server.LoginAsync("alice", "wrong")).Outcome);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_changed_password_counts_at_once(RedisKind kind)
    {
        await using var server = await AccountServer.StartAsync(kind);
        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "secret")).Outcome);

        await server.Accounts.SetPasswordAsync("alice", "changed"u8.ToArray(), CancellationToken.None);

        Assert.Equal(AuthenticationOutcome.WrongPassword, (await server.LoginAsync("alice", "secret")).Outcome);
        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "changed")).Outcome);
    }

    [Fact]
    public async Task A_password_that_is_no_hash_lets_nobody_in_and_is_told_to_operators_once_a_minute_and_to_clients_never()
    {
        await using var server = await AccountServer.StartAsync(RedisKind.Garnet);
        foreach (var broken in (string[])["secret", "", new string('x', 5000)])
        {
            await server.Redis.Database.HashSetAsync(AliceAccount, "password", broken);
            Assert.Equal(AuthenticationOutcome.WrongPassword, (await server.LoginAsync("alice", broken.Length is 0 or > 1024 ? "x" : broken)).Outcome);
        }
        Assert.Equal(1, server.BrokenHashesTold);
        server.Clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        await server.LoginAsync("alice", "x");
        Assert.Equal(1, server.BrokenHashesTold);
        server.Clock.Advance(TimeSpan.FromTicks(1));
        await server.LoginAsync("alice", "x");
        Assert.Equal(2, server.BrokenHashesTold);
    }

    [FactIfInstalled("redis-server")]
    public async Task P19_a_name_outside_the_alphabet_never_reaches_Redis()
    {
        await using var server = await AccountServer.StartAsync(RedisKind.Redis);
        string[] hostile =
        [
            "", "alice}:account", "*", "{alice}", "alice@example.com\r\nFLUSHALL\r\n", "alice\0", "alice@example.com@x", "al ice", "élise",
            "../alice", "alice@", "alice@example.com:account", "'; return redis.call('FLUSHALL')", new string('a', 256), "alice\u0130",
        ];

        foreach (var name in hostile)
            Assert.Equal(AuthenticationOutcome.NoSuchUser, (await server.LoginAsync(name, "secret")).Outcome);

        Assert.Equal(0, await server.AccountReadsAsync());
        await server.LoginAsync("alice", "secret");
        Assert.Equal(1, await server.AccountReadsAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task With_Redis_away_only_a_password_that_was_confirmed_lets_in()
    {
        await using var server = await AccountServer.StartAsync(RedisKind.Redis);
        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "secret")).Outcome);

        await server.Redis.Process.KillAsync();

        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "secret")).Outcome);
        Assert.Equal(AuthenticationOutcome.LikelyWrong, (await server.LoginAsync("alice", "wrong")).Outcome);
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, (await server.LoginAsync("bob", "secret")).Outcome);
        server.Clock.Advance(server.Options.AssignmentCacheAge - TimeSpan.FromTicks(1));
        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "secret")).Outcome);
        server.Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, (await server.LoginAsync("alice", "secret")).Outcome);
        server.Reload(server.Options with { AssignmentCacheAge = server.Options.AssignmentCacheAge + TimeSpan.FromTicks(1) });
        Assert.Equal(AuthenticationOutcome.Success, (await server.LoginAsync("alice", "secret")).Outcome);
    }

    [Fact]
    public async Task A_password_that_was_revoked_does_not_come_back_when_the_database_goes_away()
    {
        var database = new ScriptedDatabase();
        var hasher = new PasswordHasher();
        var authenticator = Over(database, hasher);
        Assert.Equal(AuthenticationOutcome.Success, await database.AnswersAsync(authenticator, "secret", new DatabaseAnswer(DatabaseAnswerKind.RightPassword)));

        // A stranger's guess takes nothing away from Alice.
        Assert.Equal(AuthenticationOutcome.WrongPassword, await database.AnswersAsync(authenticator, "guess", DatabaseAnswer.WrongPassword));
        Assert.Equal(AuthenticationOutcome.Success, await database.AnswersAsync(authenticator, "secret", DatabaseAnswer.Failure));

        Assert.Equal(AuthenticationOutcome.WrongPassword, await database.AnswersAsync(authenticator, "secret", DatabaseAnswer.WrongPassword));
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await database.AnswersAsync(authenticator, "secret", DatabaseAnswer.Failure));
    }

    [Fact]
    public async Task What_is_remembered_counts_while_a_database_is_away_and_not_while_it_is_busy()
    {
        var database = new ScriptedDatabase();
        var hasher = new PasswordHasher();
        var authenticator = Over(database, hasher);
        Assert.Equal(AuthenticationOutcome.Success, await database.AnswersAsync(authenticator, "secret", new DatabaseAnswer(DatabaseAnswerKind.RightPassword)));

        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await database.AnswersAsync(authenticator, "secret", DatabaseAnswer.Busy));
        Assert.Equal(AuthenticationOutcome.Success, await database.AnswersAsync(authenticator, "secret", DatabaseAnswer.Failure));
    }

    [Fact]
    public void A_database_is_busy_while_others_get_answers_and_away_once_nobody_has_got_one_for_as_long_as_a_question_is_waited_for()
    {
        var clock = new ManualClock();
        var pulse = new AnswerPulse(clock, TimeSpan.FromSeconds(5));
        Assert.Same(DatabaseAnswer.Failure, pulse.NoAnswer());

        pulse.Beat();
        clock.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.Same(DatabaseAnswer.Busy, pulse.NoAnswer());

        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Same(DatabaseAnswer.Failure, pulse.NoAnswer());
    }

    private static Authenticator Over(ScriptedDatabase database, PasswordHasher hasher) =>
        new(new DirectorOptions { DefaultDomain = "example.com" }, new DatabaseChain([new ChainStep(database, new LdapDatabaseOptions { Url = new Uri("ldap://127.0.0.1") })]), hasher, NullLoggerFactory.Instance);

    private sealed class ScriptedDatabase : IPasswordDatabase
    {
        private DatabaseAnswer _answer = DatabaseAnswer.Failure;

        public string Name => "scripted";

        public async Task<AuthenticationOutcome> AnswersAsync(Authenticator authenticator, string password, DatabaseAnswer answer)
        {
            _answer = answer;
            return (await authenticator.AuthenticateAsync("alice"u8.ToArray(), Encoding.UTF8.GetBytes(password), System.Net.IPAddress.Loopback, default, CancellationToken.None)).Outcome;
        }

        public ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken) => ValueTask.FromResult(_answer);
    }

    private sealed class AccountServer : IAsyncDisposable
    {
        private readonly TestDirector _director;
        private readonly Authenticator _authenticator;
        private readonly LinesLogged _log = new();
        private readonly LoggerFactory _loggers;

        private AccountServer(TestRedis redis, TestDirector director)
        {
            (Redis, _director) = (redis, director);
            var chain = DatabaseChain.Create(director.Options, director.Redis, () => [], null, NullLoggerFactory.Instance);
            _loggers = new LoggerFactory([_log]);
            _authenticator = new Authenticator(director.Options, chain, new PasswordHasher(), _loggers, Clock);
        }

        public int BrokenHashesTold => _log.Lines.Count(static line => line.StartsWith("3101 ", StringComparison.Ordinal));

        public TestRedis Redis { get; }

        public UserAccounts Accounts => _director.Accounts;

        public ManualClock Clock { get; } = new();

        public DirectorOptions Options => _director.Options;

        public static async Task<AccountServer> StartAsync(RedisKind kind)
        {
            var redis = await TestRedis.StartAsync(kind);
            var director = await TestDirector.StartAsync(redis.ConnectionString, with: o => o with { DefaultDomain = "example.com" });
            var server = new AccountServer(redis, director);
            Assert.Equal(AccountOutcome.Done, await server.Accounts.AddAsync("alice", "secret"u8.ToArray(), CancellationToken.None));
            return server;
        }

        public void Reload(DirectorOptions options) => _authenticator.Reload(options);

        public Task<AuthenticationResult> LoginAsync(string name, string password) =>
            _authenticator.AuthenticateAsync(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(password), System.Net.IPAddress.Loopback, default, CancellationToken.None);

        /// <summary>How often an account was read, as Redis counts it.</summary>
        public async Task<int> AccountReadsAsync()
        {
            var statistics = (await Redis.Probe.GetServers()[0].InfoAsync("commandstats")).SelectMany(section => section);
            var reads = statistics.Where(pair => pair.Key == "cmdstat_hmget").Select(pair => pair.Value).FirstOrDefault("calls=0,");
            return int.Parse(reads["calls=".Length..reads.IndexOf(',')]);
        }

        public async ValueTask DisposeAsync()
        {
            await _director.DisposeAsync();
            await Redis.DisposeAsync();
            _loggers.Dispose();
        }
    }
}
