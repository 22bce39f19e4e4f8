using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class UserAccountsTests
{
    [FactIfInstalled("redis-server")]
    public async Task R7_what_is_stored_of_a_password_may_take_4_KiB()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var keeper = await KeeperAsync(redis.ConnectionString);
        var database = new RedisPasswordDatabase(keeper.Redis);
        foreach (var (bytes, read) in new[] { (4095, 4095), (4096, 4096), (4097, 0) })
        {
            await redis.Database.HashSetAsync("imapdirector:{alice@example.com}:account", "password", new string('x', bytes));
            Assert.Equal(read, (await database.FindAsync(TestDirector.User("alice@example.com"), CancellationToken.None)).Value!.Password.Length);
        }
    }

    [Theory, OnRedis, OnGarnet]
    public async Task An_account_is_made_once_changed_shown_listed_and_removed(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var keeper = await KeeperAsync(redis.ConnectionString);
        var accounts = keeper.Accounts;
        var password = "secret"u8.ToArray();

        Assert.Equal(AccountOutcome.NoSuchUser, await accounts.SetPasswordAsync("alice", password, CancellationToken.None));
        Assert.Equal(AccountOutcome.Done, await accounts.AddAsync("Alice", password, CancellationToken.None));
        Assert.Equal(AccountOutcome.Exists, await accounts.AddAsync("alice@example.com", password, CancellationToken.None));
        Assert.Equal(AccountOutcome.Done, await accounts.SetPasswordAsync("alice", password, CancellationToken.None));
        Assert.Equal(AccountOutcome.Done, await accounts.AddAsync("bob@example.net", password, CancellationToken.None));

        var listed = new List<string>();
        Assert.Equal(AccountOutcome.Done, await accounts.ListAsync(listed.Add, CancellationToken.None));
        Assert.Equal(["alice@example.com", "bob@example.net"], listed.Order());

        var (outcome, details) = await accounts.ShowAsync("alice", CancellationToken.None);
        Assert.Equal(AccountOutcome.Done, outcome);
        Assert.Equal("alice@example.com", details!.User);
        Assert.InRange(details.Created, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
        Assert.Null(details.Node);
        Assert.Equal(AccountOutcome.Done, await accounts.DisableAsync("alice", true, CancellationToken.None));
        Assert.True((await accounts.ShowAsync("alice", CancellationToken.None)).Details!.IsDisabled);
        Assert.Equal(AccountOutcome.Done, await accounts.DisableAsync("alice", false, CancellationToken.None));
        Assert.False((await accounts.ShowAsync("alice", CancellationToken.None)).Details!.IsDisabled);
        Assert.Equal(AccountOutcome.NoSuchUser, await accounts.DisableAsync("nobody", true, CancellationToken.None));

        Assert.Equal(AccountOutcome.Done, await accounts.RemoveAsync("alice", CancellationToken.None));
        Assert.Equal(AccountOutcome.NoSuchUser, await accounts.RemoveAsync("alice", CancellationToken.None));
        Assert.Equal(AccountOutcome.NoSuchUser, (await accounts.ShowAsync("alice", CancellationToken.None)).Outcome);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Show_tells_the_node_and_the_epoch(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var keeper = await KeeperAsync(redis.ConnectionString);
        var accounts = keeper.Accounts;
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await accounts.AddAsync("alice", "secret"u8.ToArray(), CancellationToken.None);
        var ticket = await director.OpenAsync(User("alice@example.com"), "s1", "2001:db8::1");

        var details = (await accounts.ShowAsync("alice", CancellationToken.None)).Details!;

        Assert.Equal(ticket.Node!.Name, details.Node);
        Assert.Equal(1, details.Epoch);
    }

    [Theory]
    [InlineData("", 6, AccountOutcome.InvalidName)]
    [InlineData("al ice", 6, AccountOutcome.InvalidName)]
    [InlineData("alice}", 6, AccountOutcome.InvalidName)]
    [InlineData("alice", 0, AccountOutcome.InvalidPassword)]
    [InlineData("alice", 1, AccountOutcome.Done)]
    [InlineData("alice", 1024, AccountOutcome.Done)]
    [InlineData("alice", 1025, AccountOutcome.InvalidPassword)]
    public async Task Names_and_passwords_out_of_bounds_are_named_as_such(string name, int passwordLength, AccountOutcome expected)
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Garnet);
        await using var keeper = await KeeperAsync(redis.ConnectionString);
        var accounts = keeper.Accounts;

        Assert.Equal(expected, await accounts.AddAsync(name, new byte[passwordLength], CancellationToken.None));
    }

    [Fact]
    public async Task Without_Redis_everything_is_unavailable()
    {
        await using var keeper = await KeeperAsync($"127.0.0.1:{FreePort.Next()}");
        var accounts = keeper.Accounts;

        Assert.Equal(AccountOutcome.Unavailable, await accounts.AddAsync("alice", "secret"u8.ToArray(), CancellationToken.None));
        Assert.Equal(AccountOutcome.Unavailable, await accounts.ListAsync(_ => { }, CancellationToken.None));
        Assert.Equal(AccountOutcome.Unavailable, (await accounts.ShowAsync("alice", CancellationToken.None)).Outcome);
        Assert.Equal(AccountOutcome.Unavailable, await accounts.RemoveAsync("alice", CancellationToken.None));
    }

    private static Task<TestDirector> KeeperAsync(string redis) => TestDirector.StartAsync(redis, "keeper", with: static options => options with { DefaultDomain = "example.com" });
}
