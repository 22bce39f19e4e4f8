using ImapDirector.Director.Directory;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class UserDirectoryTests
{
    [Theory, OnRedis, OnGarnet]
    public async Task A_user_keeps_the_node_of_the_first_login(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);

        var first = await director.OpenAsync(User("alice@example.com"), "s1");
        var second = await director.OpenAsync(User("alice@example.com"), "s2");

        Assert.Equal(DirectoryOutcome.Assigned, first.Outcome);
        Assert.Equal(1, first.Epoch);
        Assert.Equal(first, second);
        Assert.Equal(first.Node!.Name, await redis.Database.HashGetAsync("imapdirector:{alice@example.com}:assignment", "node"));
        Assert.Equal(2, await redis.Database.HashLengthAsync("imapdirector:{alice@example.com}:sessions"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Fifty_first_logins_at_once_through_directors_that_disagree_all_get_one_node(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        BackendNode[][] views = [[Node("node1"), Node("node2", 0)], [Node("node1", 0), Node("node2")]];
        var directors = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => TestDirector.StartAsync(redis.ConnectionString, $"director{i}", views[i % 2])));
        for (var round = 0; round < 40; round++)
        {
            var user = User($"user{round}@example.com");

            var tickets = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => directors[i % 10].OpenAsync(user, $"s{i}", $"192.0.2.{i}")));

            Assert.All(tickets, ticket => Assert.Equal(DirectoryOutcome.Assigned, ticket.Outcome));
            Assert.Single(tickets.Select(ticket => ticket.Node!.Name).Distinct());
            Assert.Equal(50, await redis.Database.HashLengthAsync($"imapdirector:{{{user}}}:sessions"));
        }
        foreach (var director in directors) await director.DisposeAsync();
    }

    [Theory, OnRedis, OnGarnet]
    public async Task P13_the_session_above_the_limit_of_an_address_is_refused_until_one_ends(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: o => o with { MaxSessionsPerUserAddress = 3 });
        var user = User("alice@example.com");
        for (var i = 1; i <= 3; i++) Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, $"s{i}")).Outcome);

        Assert.Equal(DirectoryOutcome.LimitReached, (await director.OpenAsync(user, "s4")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, "other", "2001:db8::1")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("bob@example.com"), "bob")).Outcome);

        await director.Directory.CloseSessionAsync(user, "s2");
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, "s5")).Outcome);
        Assert.Equal(DirectoryOutcome.LimitReached, (await director.OpenAsync(user, "s6")).Outcome);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task The_session_above_the_limit_of_a_user_is_refused_at_every_director_until_one_ends(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        DirectorOptions Three(DirectorOptions options) => options with { MaxSessionsPerUser = 3 };
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: Three);
        await using var other = await TestDirector.StartAsync(redis.ConnectionString, "director2", with: Three);
        var user = User("alice@example.com");
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, "s1")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await other.OpenAsync(user, "s2", "192.0.2.2")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, "s3", "2001:db8::1")).Outcome);

        Assert.Equal(DirectoryOutcome.UserLimitReached, (await other.OpenAsync(user, "s4", "192.0.2.4")).Outcome);
        Assert.Equal(3, await redis.Database.HashLengthAsync("imapdirector:{alice@example.com}:sessions"));
        // Asked once more for a session that is there, as where the node says that the user is elsewhere.
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(user, "s3", "2001:db8::1")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("bob@example.com"), "bob")).Outcome);

        await director.Directory.CloseSessionAsync(user, "s1");
        Assert.Equal(DirectoryOutcome.Assigned, (await other.OpenAsync(user, "s5", "192.0.2.4")).Outcome);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_delivery_assigns_a_node_and_leaves_no_session(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var user = User("alice@example.com");

        var delivery = await director.Directory.AssignAsync(user, CancellationToken.None);

        Assert.Equal(DirectoryOutcome.Assigned, delivery.Outcome);
        Assert.Equal(delivery, await director.OpenAsync(user, "s1"));
        await director.Directory.CloseSessionAsync(user, "s1");
        Assert.False(await redis.Database.KeyExistsAsync("imapdirector:{alice@example.com}:sessions"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task R1_a_node_that_is_not_configured_is_never_used_and_no_session_stays(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "evil.example.net:143"), new("epoch", 7)]);

        var ticket = await director.OpenAsync(User("alice@example.com"), "s1");

        Assert.Equal(new SessionTicket(DirectoryOutcome.NoNode, null, 0), ticket);
        Assert.False(await redis.Database.KeyExistsAsync("imapdirector:{alice@example.com}:sessions"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_pool_without_weight_takes_no_new_users_and_keeps_the_old_ones(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1", 0), Node("node2", 100, "other")]);
        await redis.Database.HashSetAsync("imapdirector:{old@example.com}:assignment", [new("node", "node1"), new("epoch", 4)]);

        Assert.Equal(DirectoryOutcome.NoNode, (await director.OpenAsync(User("new@example.com"), "s1")).Outcome);
        Assert.False(await redis.Database.KeyExistsAsync("imapdirector:{new@example.com}:assignment"));
        var old = await director.OpenAsync(User("old@example.com"), "s2");
        Assert.Equal("node1", old.Node?.Name);
        Assert.Equal(4, old.Epoch);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Scripts_that_Redis_forgot_are_loaded_again(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var user = User("alice@example.com");
        var before = await director.OpenAsync(user, "s1");

        await redis.FlushScriptsAsync();

        Assert.Equal(before, await director.OpenAsync(user, "s2"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_map_that_Redis_lost_comes_back_as_it_was_last_seen(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var user = User("alice@example.com");
        await redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node2"), new("epoch", 9)]);
        var before = await director.OpenAsync(user, "s1");

        await redis.FlushDataAsync();

        Assert.Equal(before, await director.OpenAsync(user, "s2"));
        Assert.Equal(9, await redis.Database.HashGetAsync("imapdirector:{alice@example.com}:assignment", "epoch"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Sessions_of_a_crashed_director_count_for_nothing_and_are_swept(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var lease = TimeSpan.FromSeconds(15);
        DirectorOptions OneSession(DirectorOptions options) => options with { MaxSessionsPerUserAddress = 1 };
        var crashing = await TestDirector.StartAsync(redis.ConnectionString, "director1", with: OneSession, lease: lease);
        await using var other = await TestDirector.StartAsync(redis.ConnectionString, "director2", with: OneSession, lease: lease);
        await crashing.OpenAsync(User("alice@example.com"), "s1");
        await crashing.OpenAsync(User("bob@example.com"), "s2");
        Assert.Equal(DirectoryOutcome.LimitReached, (await other.OpenAsync(User("alice@example.com"), "s3")).Outcome);

        await crashing.CrashAsync();

        await UntilAsync(async () => (await other.OpenAsync(User("alice@example.com"), "s3")).Outcome == DirectoryOutcome.Assigned);
        await UntilAsync(async () => !await redis.Database.KeyExistsAsync("imapdirector:{bob@example.com}:sessions"));
        await crashing.DisposeAsync();
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_director_that_lost_its_lease_goes_on_as_a_new_incarnation_with_all_its_sessions(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromSeconds(6));
        await director.OpenAsync(User("alice@example.com"), "s1");
        var before = director.Directory.Incarnation!.Epoch;

        await redis.FlushDataAsync();

        await UntilAsync(() => redis.Database.HashExistsAsync("imapdirector:{alice@example.com}:sessions", "s1"));
        var value = (await redis.Database.HashGetAsync("imapdirector:{alice@example.com}:sessions", "s1")).ToString();
        Assert.True(director.Directory.Incarnation!.Epoch > before);
        Assert.Equal($"{director.Directory.Incarnation!.Epoch} director1 192.0.2.1 0 - - -", value);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_director_that_ends_gives_its_lease_back(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var director = await TestDirector.StartAsync(redis.ConnectionString);
        Assert.Equal(1, await redis.Database.SortedSetLengthAsync("imapdirector:{incarnations}:leases"));

        await director.DisposeAsync();

        Assert.Equal(0, await redis.Database.SortedSetLengthAsync("imapdirector:{incarnations}:leases"));
    }
}
