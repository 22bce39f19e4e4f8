using System.Diagnostics;
using ImapDirector.Director.Directory;
using ImapDirector.Tests.Shared;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class DirectorNameTests
{
    private const string NameKey = "imapdirector:{incarnations}:name:director1";

    [Theory, OnRedis, OnGarnet]
    public async Task A_second_director_of_one_name_does_not_start_and_says_what_to_do(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var first = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromSeconds(30));
        var epoch = first.Directory.Incarnation!.Epoch;

        var refused = await Assert.ThrowsAsync<IOException>(() => TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromSeconds(30)));

        Assert.Equal("Another director named \"director1\" runs: its lease in Redis has just been renewed. Give this one a Name of its own, or stop the other one.", refused.Message);
        Assert.Equal(epoch, first.Directory.Incarnation.Epoch);
        Assert.Equal(DirectoryOutcome.Assigned, (await first.OpenAsync(User("alice@example.com"), "s1")).Outcome);
        await using var other = await TestDirector.StartAsync(redis.ConnectionString, "director2");
        Assert.NotNull(other.Directory.Incarnation);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_lease_is_seen_to_be_renewed_though_less_is_left_of_it_than_at_the_first_look(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        const string leases = "imapdirector:{incarnations}:leases";
        Task LeaveAsync(double minutes) => redis.Database.SortedSetAddAsync(leases, "7 director1", DateTimeOffset.UtcNow.AddMinutes(minutes).ToUnixTimeMilliseconds());
        await redis.Database.StringSetAsync(NameKey, "7 elsewhere");
        await LeaveAsync(60);

        var starting = Task.Run(() => TestDirector.StartAsync(redis.ConnectionString));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        for (var minutes = 30; !starting.IsCompleted; minutes = 70 - minutes)
        {
            await Task.Delay(700, patience.Token);
            await LeaveAsync(minutes);
        }

        await Assert.ThrowsAsync<IOException>(() => starting);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_director_that_ended_leaves_its_name(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var first = await TestDirector.StartAsync(redis.ConnectionString);
        var epoch = first.Directory.Incarnation!.Epoch;
        await first.DisposeAsync();

        await using var second = await TestDirector.StartAsync(redis.ConnectionString);

        Assert.True(second.Directory.Incarnation!.Epoch > epoch);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_director_that_was_killed_elsewhere_has_its_name_until_most_of_its_lease_is_over(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var killed = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromSeconds(4));
        var epoch = killed.Directory.Incarnation!.Epoch;
        await killed.CrashAsync();

        await using var next = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromSeconds(4));

        Assert.True(next.Directory.Incarnation!.Epoch > epoch);
        await killed.DisposeAsync();
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_director_whose_process_is_gone_from_this_machine_starts_again_at_once(RedisKind kind)
    {
        if (ProcessIdentity.Own == "-") return;
        await using var redis = await TestRedis.StartAsync(kind);
        var killed = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromHours(1));
        var epoch = killed.Directory.Incarnation!.Epoch;
        await killed.CrashAsync();
        await redis.Database.StringSetAsync(NameKey, $"{epoch} {await EndedProcessAsync()}");

        // Most of its lease would take longer than any test.
        await using var next = await TestDirector.StartAsync(redis.ConnectionString, lease: TimeSpan.FromHours(1));

        Assert.True(next.Directory.Incarnation!.Epoch > epoch);
        Assert.StartsWith($"{next.Directory.Incarnation.Epoch} {ProcessIdentity.Own}", (await redis.Database.StringGetAsync(NameKey)).ToString(), StringComparison.Ordinal);
        await killed.DisposeAsync();
    }

    [FactIfInstalled("redis-server")]
    public async Task A_director_that_began_without_Redis_and_finds_its_name_taken_has_no_lease_until_it_is_free()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await redis.Database.SortedSetAddAsync("imapdirector:{incarnations}:leases", "7 director1", DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds());
        await redis.Database.StringSetAsync(NameKey, "7 elsewhere");
        await redis.Process.KillAsync();
        await using var second = await TestDirector.StartAsync(redis.ConnectionString);
        Assert.False(second.Directory.IsNameTaken);

        await redis.Process.RestartAsync();

        await UntilAsync(() => Task.FromResult(second.Directory.IsNameTaken));
        Assert.Null(second.Directory.Incarnation);
        Assert.Equal(DirectoryOutcome.Unavailable, (await second.OpenAsync(User("alice@example.com"), "s1")).Outcome);
        await redis.Database.SortedSetRemoveAsync("imapdirector:{incarnations}:leases", "7 director1");
        await UntilAsync(() => Task.FromResult(second.Directory.Incarnation is not null));
        Assert.False(second.Directory.IsNameTaken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("elsewhere")]
    [InlineData("boot,pid:[1],99999999,1")]
    public void Of_a_process_that_is_not_of_this_machine_nobody_says_that_it_is_gone(string identity) => Assert.False(ProcessIdentity.IsGone(identity));

    [Fact]
    public async Task A_process_is_gone_when_it_has_ended_or_another_one_has_its_number()
    {
        Assert.False(ProcessIdentity.IsGone(ProcessIdentity.Own));
        if (ProcessIdentity.Own == "-") return;
        Assert.True(ProcessIdentity.IsGone(await EndedProcessAsync()));
        Assert.True(ProcessIdentity.IsGone(ProcessIdentity.Own + "1"));
    }

    private static async Task<string> EndedProcessAsync()
    {
        using var ended = Process.Start("true");
        var own = ProcessIdentity.Own.Split(',');
        await ended.WaitForExitAsync();
        return $"{own[0]},{own[1]},{ended.Id},1";
    }
}
