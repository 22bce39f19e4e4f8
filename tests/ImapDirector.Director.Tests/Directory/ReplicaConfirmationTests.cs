using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>Redis with a replica, which may be away or take over at any moment.</summary>
public sealed class ReplicaConfirmationTests
{
    private const string Bob = "imapdirector:{bob@example.com}";

    [FactIfInstalled("redis-server")]
    public async Task While_no_replica_answers_new_users_are_refused_and_those_who_are_known_log_in()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var replica = await ReplicaOfAsync(redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await using var other = await TestDirector.StartAsync(redis.ConnectionString, "director2");
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "s1")).Outcome);
        Assert.Equal(1, await redis.Database.HashGetAsync("imapdirector:{alice@example.com}:assignment", "confirmed"));

        await replica.StallAsync();

        Assert.Equal(DirectoryOutcome.Unconfirmed, (await director.OpenAsync(User("bob@example.com"), "s2")).Outcome);
        // What is in the map by now is no better than it was, for nobody.
        Assert.Equal(DirectoryOutcome.Unconfirmed, (await director.OpenAsync(User("bob@example.com"), "s3")).Outcome);
        Assert.Equal(DirectoryOutcome.Unconfirmed, (await other.OpenAsync(User("bob@example.com"), "s4")).Outcome);
        Assert.Equal(DirectoryOutcome.Unconfirmed, (await director.Directory.AssignAsync(User("bob@example.com"), CancellationToken.None)).Outcome);
        Assert.False(await redis.Database.KeyExistsAsync($"{Bob}:sessions"));
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "s5")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await other.OpenAsync(User("alice@example.com"), "s6")).Outcome);

        await replica.ResumeAsync();
        await UntilAsync(async () => (await director.OpenAsync(User("bob@example.com"), "s7")).Outcome == DirectoryOutcome.Assigned);
        Assert.Equal(DirectoryOutcome.Assigned, (await other.OpenAsync(User("bob@example.com"), "s8")).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_was_not_confirmed_is_not_remembered_when_Redis_goes_away()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var replica = await ReplicaOfAsync(redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await director.OpenAsync(User("alice@example.com"), "s1");
        await replica.StallAsync();
        await director.OpenAsync(User("bob@example.com"), "s2");

        await redis.Process.KillAsync();

        await UntilAsync(async () => (await director.OpenAsync(User("bob@example.com"), "s3")).Outcome == DirectoryOutcome.Unavailable);
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "s4")).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whoever_was_assigned_before_the_master_died_is_where_they_were_after_it()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var replica = await ReplicaOfAsync(redis);
        // The one that is taken over by remembers nobody.
        await using var director = await TestDirector.StartAsync($"{redis.ConnectionString},{replica.ConnectionString}");

        var logins = Enumerable.Range(0, 200).Select(async i =>
        {
            await Task.Delay(i * 2);
            return await director.OpenAsync(User($"user{i}@example.com"), $"s{i}");
        }).ToArray();
        await TestDirector.UntilAsync(() => Task.FromResult(logins.Count(static login => login is { IsCompletedSuccessfully: true, Result.Outcome: DirectoryOutcome.Assigned }) > 50));
        await redis.Process.KillAsync();
        var tickets = await Task.WhenAll(logins);

        await using var promoted = await ConnectionMultiplexer.ConnectAsync(replica.ConnectionString + ",allowAdmin=true");
        await promoted.GetDatabase().ExecuteAsync("REPLICAOF", "NO", "ONE");
        Assert.True(tickets.Count(static ticket => ticket.Outcome == DirectoryOutcome.Assigned) > 50);
        for (var i = 0; i < tickets.Length; i++)
        {
            if (tickets[i].Node is not { } node) continue;
            Assert.Equal([node.Name, "1"], (await promoted.GetDatabase().HashGetAsync($"imapdirector:{{user{i}@example.com}}:assignment", ["node", "epoch"])).Select(static value => value.ToString()));
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task A_replica_that_came_after_the_director_counts_from_the_next_new_user_on()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await director.OpenAsync(User("alice@example.com"), "s1");
        Assert.False(await redis.Database.HashExistsAsync("imapdirector:{alice@example.com}:assignment", "confirmed"));

        await using var replica = await ReplicaOfAsync(redis);

        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("bob@example.com"), "s2")).Outcome);
        Assert.True(director.Redis.Replicas.IsRequired);
        await replica.KillAsync();
        Assert.Equal(DirectoryOutcome.Unconfirmed, (await director.OpenAsync(User("carol@example.com"), "s3")).Outcome);
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("bob@example.com"), "s4")).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_none_is_asked_for_none_is_waited_for()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var replica = await ReplicaOfAsync(redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: options => options with { AssignmentReplicas = 0 });
        await replica.StallAsync();

        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "s1")).Outcome);
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_two_are_asked_for_one_is_not_enough()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var one = await ReplicaOfAsync(redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: options => options with { AssignmentReplicas = 2 });
        Assert.Equal(DirectoryOutcome.Unconfirmed, (await director.OpenAsync(User("alice@example.com"), "s1")).Outcome);

        await using var two = await ReplicaOfAsync(redis);

        await UntilAsync(async () => (await director.OpenAsync(User("alice@example.com"), "s2")).Outcome == DirectoryOutcome.Assigned);
    }

    [FactIfInstalled("redis-server")]
    public async Task Many_new_users_wait_for_a_replica_that_hangs_together_and_not_one_after_the_other()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var replica = await ReplicaOfAsync(redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await replica.StallAsync();

        // One after the other they would wait for more than a minute, and be refused for another reason long before.
        var tickets = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => director.OpenAsync(User($"user{i}@example.com"), $"s{i}")));

        Assert.All(tickets, static ticket => Assert.Equal(DirectoryOutcome.Unconfirmed, ticket.Outcome));
        await replica.ResumeAsync();
        await UntilAsync(async () => (await Task.WhenAll(Enumerable.Range(0, 150).Select(i => director.OpenAsync(User($"user{i}@example.com"), $"s{i}"))))
            .All(static ticket => ticket.Outcome == DirectoryOutcome.Assigned));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_new_epoch_is_confirmed_as_a_new_user_is()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var replica = await ReplicaOfAsync(redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var moves = new MoveLedger(director.Redis);
        await director.OpenAsync(User("bob@example.com"), "s1");
        Assert.True(await moves.IsDurableAsync(User("bob@example.com"), CancellationToken.None));

        await replica.StallAsync();
        await redis.Database.HashSetAsync($"{Bob}:assignment", [new("node", "node2"), new("epoch", 3)]);

        Assert.False(await moves.IsDurableAsync(User("bob@example.com"), CancellationToken.None));
        Assert.Equal(DirectoryOutcome.Unconfirmed, (await director.OpenAsync(User("bob@example.com"), "s2")).Outcome);
        await replica.ResumeAsync();
        await UntilAsync(async () => await director.OpenAsync(User("bob@example.com"), "s3") is { Outcome: DirectoryOutcome.Assigned, Epoch: 3 });
        Assert.Equal(3, await redis.Database.HashGetAsync($"{Bob}:assignment", "confirmed"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_move_that_Redis_lost_is_brought_back_by_a_director_that_remembers_it(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: options => options with { MoveWait = TimeSpan.Zero });
        await redis.Database.HashSetAsync($"{Bob}:assignment", [new("node", "node2"), new("epoch", 3)]);
        var before = await director.OpenAsync(User("bob@example.com"), "s1");

        await redis.Database.HashSetAsync($"{Bob}:assignment", [new("node", "node1"), new("epoch", 1)]);

        Assert.Equal(before, await director.OpenAsync(User("bob@example.com"), "s2"));
        Assert.Equal(["node2", "3"], (await redis.Database.HashGetAsync($"{Bob}:assignment", ["node", "epoch"])).Select(static value => value.ToString()));

        // A move that is under way is carried on by whoever has it.
        await redis.Database.HashSetAsync($"{Bob}:assignment", [new("node", "node1"), new("epoch", 2), new("moving", "node2")]);
        Assert.Equal(DirectoryOutcome.Moving, (await director.OpenAsync(User("bob@example.com"), "s3")).Outcome);
        Assert.Equal("node1", await redis.Database.HashGetAsync($"{Bob}:assignment", "node"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_record_that_cannot_be_read_is_not_written_over(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        await redis.Database.HashSetAsync($"{Bob}:assignment", [new("node", "node1"), new("epoch", "first")]);

        Assert.Equal(DirectoryOutcome.NoNode, (await director.OpenAsync(User("bob@example.com"), "s1")).Outcome);
        Assert.Equal("first", await redis.Database.HashGetAsync($"{Bob}:assignment", "epoch"));
    }

    private static async Task<RedisServer> ReplicaOfAsync(TestRedis master)
    {
        var before = (await InfoAsync(master)).Count(static line => line.Contains("state=online", StringComparison.Ordinal));
        var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{master.Process.Port}", "--repl-diskless-sync-delay", "0");
        await UntilAsync(async () => (await InfoAsync(master)).Count(static line => line.Contains("state=online", StringComparison.Ordinal)) > before);
        return replica;
    }

    private static async Task<string[]> InfoAsync(TestRedis redis) => (await redis.Database.ExecuteAsync("INFO", "replication")).ToString().Split('\n');
}
