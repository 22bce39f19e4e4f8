using ImapDirector.Director.Directory;
using ImapDirector.Tests.Shared;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class RedisOutageTests
{
    private const string AliceSessions = "imapdirector:{alice@example.com}:sessions";

    [FactIfInstalled("redis-server")]
    public async Task With_Redis_away_known_users_go_on_and_others_are_told_unavailable()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        var clock = new ManualClock();
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, clock: clock);
        var before = await director.OpenAsync(User("alice@example.com"), "s1");

        await redis.Process.KillAsync();

        Assert.False(await director.Redis.IsAvailableAsync(CancellationToken.None));
        Assert.Equal(before, await director.OpenAsync(User("alice@example.com"), "s2"));
        Assert.Equal(before, await director.Directory.AssignAsync(User("alice@example.com"), CancellationToken.None));
        Assert.Equal(DirectoryOutcome.Unavailable, (await director.OpenAsync(User("bob@example.com"), "s3")).Outcome);
        clock.Advance(director.Options.AssignmentCacheAge - TimeSpan.FromTicks(1));
        Assert.Equal(before, await director.OpenAsync(User("alice@example.com"), "s4"));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(DirectoryOutcome.Unavailable, (await director.OpenAsync(User("alice@example.com"), "s5")).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_session_that_Redis_may_have_noted_is_taken_out_where_the_user_s_node_is_down()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var node = (await director.OpenAsync(User("alice@example.com"), "s1")).Node!.Name;
        await director.Directory.CloseSessionAsync(User("alice@example.com"), "s1");
        await new NodeOrders(director.Redis, director.Nodes, TimeSpan.Zero).ChangeAsync(node, new Dictionary<string, string?> { ["state"] = "down" }, CancellationToken.None);

        // As a call leaves it that is carried out and whose answer is lost.
        await redis.Database.HashSetAsync(AliceSessions, "s2", $"{director.Directory.Incarnation!.Epoch} director1 192.0.2.1 0");
        await redis.Process.KillAsync();

        Assert.Equal(DirectoryOutcome.NodeDown, (await director.OpenAsync(User("alice@example.com"), "s2")).Outcome);

        await redis.Process.RestartAsync();
        await UntilAsync(async () => await director.Redis.CallAsync("test", database => database.KeyExistsAsync(AliceSessions), CancellationToken.None) is { Succeeded: true, Value: false });
    }

    [FactIfInstalled("redis-server")]
    public async Task A_cache_age_of_zero_serves_nobody_while_Redis_is_away()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: o => o with { AssignmentCacheAge = TimeSpan.Zero });
        await director.OpenAsync(User("alice@example.com"), "s1");

        await redis.Process.KillAsync();

        Assert.Equal(DirectoryOutcome.Unavailable, (await director.OpenAsync(User("alice@example.com"), "s2")).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_happened_while_Redis_was_away_is_told_when_it_is_back()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await director.OpenAsync(User("alice@example.com"), "ends");
        await director.OpenAsync(User("alice@example.com"), "stays");

        await redis.Process.KillAsync();
        await director.Directory.CloseSessionAsync(User("alice@example.com"), "ends");
        await director.OpenAsync(User("alice@example.com"), "begins");
        await director.OpenAsync(User("alice@example.com"), "passes");
        await director.Directory.CloseSessionAsync(User("alice@example.com"), "passes");
        await redis.Process.RestartAsync();

        await UntilAsync(async () => await director.Redis.IsAvailableAsync(CancellationToken.None));
        await UntilAsync(async () =>
        {
            var ids = (await director.Redis.CallAsync("test", database => database.HashKeysAsync(AliceSessions), CancellationToken.None)).Value;
            return ids is not null && ids.Select(id => id.ToString()).Order().SequenceEqual(["begins", "stays"]);
        });
    }

    [FactIfInstalled("redis-server")]
    public async Task A_director_that_starts_without_Redis_serves_when_it_comes()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await redis.Process.KillAsync();
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        Assert.Equal(DirectoryOutcome.Unavailable, (await director.OpenAsync(User("alice@example.com"), "s1")).Outcome);

        await redis.Process.RestartAsync();

        await UntilAsync(async () => (await director.OpenAsync(User("alice@example.com"), "s2")).Outcome == DirectoryOutcome.Assigned);
    }

    [FactIfInstalled("redis-server")]
    public async Task R7_a_Redis_that_hangs_holds_nobody_and_is_used_again_when_it_goes_on()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: o => o with { RedisTimeout = TimeSpan.FromSeconds(3) });
        var before = await director.OpenAsync(User("alice@example.com"), "s1");

        await redis.Process.StallAsync();
        try
        {
            // Each ends as a value; a call without a limit of its own would never end.
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(before, await director.OpenAsync(User("alice@example.com"), $"stalled{i}"));
                Assert.Equal(DirectoryOutcome.Unavailable, (await director.OpenAsync(User($"user{i}@example.com"), $"new{i}")).Outcome);
            }
        }
        finally
        {
            await redis.Process.ResumeAsync();
        }

        await UntilAsync(async () => (await director.OpenAsync(User("bob@example.com"), "s2")).Outcome == DirectoryOutcome.Assigned);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_login_that_is_given_up_leaves_no_session_behind()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromSeconds(3));
        using var given = new CancellationTokenSource();
        // Redis knows the script from here on: one that it does not know is not run for whoever has given up.
        await director.OpenAsync(User("bob@example.com"), "known");

        await redis.Process.StallAsync();
        var login = director.Directory.OpenSessionAsync(User("alice@example.com"), new SessionRecord("s1", "192.0.2.1", DateTimeOffset.UnixEpoch), given.Token);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => login);
        await redis.Process.ResumeAsync();

        await UntilAsync(() => redis.Database.KeyExistsAsync("imapdirector:{alice@example.com}:assignment"));
        await UntilAsync(async () => !await redis.Database.KeyExistsAsync(AliceSessions));
    }
}
