using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol.Sasl;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class HashUpgradeTests
{
    private const string AliceAccount = "imapdirector:{alice@example.com}:account";
    private const string Weak = "{SSHA}/578uE5FZZZF8f5ZrJ1RaNnJG5HfJdEO";
    private const string Password = "pässword";

    [Theory, OnRedis, OnGarnet]
    public async Task A_weak_hash_is_replaced_at_the_next_login_and_only_then(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await redis.Database.HashSetAsync(AliceAccount, "password", Weak);

        Assert.Equal(AuthenticationOutcome.WrongPassword, await LoginAsync(redis, "wrong"));
        Assert.Equal(Weak, await redis.Database.HashGetAsync(AliceAccount, "password"));

        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(redis, Password));
        var upgraded = await redis.Database.HashGetAsync(AliceAccount, "password");
        Assert.StartsWith("$argon2id$v=19$m=1024,t=1,p=1$", upgraded.ToString(), StringComparison.Ordinal);

        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(redis, Password));
        Assert.Equal(AuthenticationOutcome.WrongPassword, await LoginAsync(redis, "wrong"));
        Assert.Equal(upgraded, await redis.Database.HashGetAsync(AliceAccount, "password"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Switched_off_nothing_is_written(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await redis.Database.HashSetAsync(AliceAccount, "password", Weak);
        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(redis, Password, with => with with { UpgradeHashes = false }));
        Assert.Equal([new HashEntry("password", Weak)], await redis.Database.HashGetAllAsync(AliceAccount));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task What_SCRAM_needs_is_made_where_it_is_wanted_and_goes_with_the_password(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var keeper = await TestDirector.StartAsync(redis.ConnectionString, "keeper", with: static options => options with { DefaultDomain = "example.com" });
        var accounts = keeper.Accounts;
        await accounts.AddAsync("alice", "secret"u8.ToArray(), CancellationToken.None);

        Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(redis, "secret", with => with with { MakeScramVerifiers = true, Mechanisms = ["PLAIN", "SCRAM-SHA-256-PLUS"] }));

        var password = (await redis.Database.HashGetAsync(AliceAccount, "password")).ToString();
        var field = (await redis.Database.HashGetAsync(AliceAccount, "scram-sha-256")).ToString();
        Assert.True(ScramField.Read(field, password)!.Matches("secret"u8));
        Assert.Null(ScramField.Read(field, password + "x"));
        Assert.False(await redis.Database.HashExistsAsync(AliceAccount, "scram-sha-1"));

        await accounts.SetPasswordAsync("alice", "changed"u8.ToArray(), CancellationToken.None);
        Assert.False(await redis.Database.HashExistsAsync(AliceAccount, "scram-sha-256"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task What_SCRAM_needs_is_made_anew_with_the_iterations_of_the_settings_but_not_what_others_have_put_there(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var keeper = await TestDirector.StartAsync(redis.ConnectionString, "keeper", with: static options => options with { DefaultDomain = "example.com" });
        await keeper.Accounts.AddAsync("alice", "secret"u8.ToArray(), CancellationToken.None);
        var password = (await redis.Database.HashGetAsync(AliceAccount, "password")).ToString();
        var other = ScramVerifier.Create(ScramHashName.Sha256, "secret"u8, new byte[8], 5000);

        async Task<string> RenewAsync(string stored)
        {
            await redis.Database.HashSetAsync(AliceAccount, "scram-sha-256", stored);
            Assert.Equal(AuthenticationOutcome.Success, await LoginAsync(redis, "secret", with => with with { UpgradeHashes = false, MakeScramVerifiers = true, Mechanisms = ["PLAIN", "SCRAM-SHA-256"] }));
            return (await redis.Database.HashGetAsync(AliceAccount, "scram-sha-256")).ToString();
        }
        var renewed = ScramField.Read(await RenewAsync(ScramField.Write(other, password)), password)!;
        Assert.Equal((new AuthenticationOptions().ScramIterations, 16), (renewed.Iterations, renewed.Salt.Length));
        Assert.Equal(other.ToText(), await RenewAsync(other.ToText()));
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("{PLAIN}secret")]
    [InlineData(null)]
    public async Task Where_passwords_are_stored_plainly_too_many_hashes_are_no_wrong_password_whoever_it_is(string? stored)
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        if (stored is not null) await redis.Database.HashSetAsync(AliceAccount, "password", stored);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: o => o with { DefaultDomain = "example.com", Authentication = new AuthenticationOptions { AllowPlainHashes = true } });
        await using var chain = DatabaseChain.Create(director.Options, director.Redis, () => [], null, NullLoggerFactory.Instance);
        var hasher = new PasswordHasher(1, 0, new HashCost(1024, 1, 1));
        var verifiers = new ScramVerifiers(director.Options, chain, hasher, new ImapDirector.Director.Directory.ClusterSecret(director.Redis));
        var atWork = new TaskCompletionSource();
        var working = hasher.TakeTurnAsync("x"u8.ToArray(), default, async _ =>
        {
            await atWork.Task;
            return "done";
        }, CancellationToken.None);

        async Task<AuthenticationOutcome> FindAsync() => (await verifiers.FindAsync("alice"u8.ToArray(), ScramHashName.Sha256, IPAddress.Loopback, default, CancellationToken.None)).Outcome;
        Assert.Equal(AuthenticationOutcome.TemporaryFailure, await FindAsync());
        atWork.SetResult();
        await working;
        Assert.Equal(stored is null ? AuthenticationOutcome.NoSuchUser : AuthenticationOutcome.Success, await FindAsync());
    }

    private static async Task<AuthenticationOutcome> LoginAsync(TestRedis redis, string password, Func<AuthenticationOptions, AuthenticationOptions>? with = null)
    {
        var authentication = new AuthenticationOptions { Argon2MemoryKiB = 1024, Argon2Iterations = 1 };
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: o => o with { DefaultDomain = "example.com", Authentication = with?.Invoke(authentication) ?? authentication });
        await using var chain = DatabaseChain.Create(director.Options, director.Redis, () => [], null, NullLoggerFactory.Instance);
        var hasher = new PasswordHasher(director.Options.Authentication);
        var authenticator = new Authenticator(director.Options, chain, hasher, NullLoggerFactory.Instance);
        return (await authenticator.AuthenticateAsync("alice"u8.ToArray(), Encoding.UTF8.GetBytes(password), IPAddress.Loopback, default, CancellationToken.None)).Outcome;
    }
}
