using System.Diagnostics;
using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Relay;
using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class SessionReportsTests
{
    [Theory, OnRedis, OnGarnet]
    public async Task What_a_session_has_moved_is_told_and_goes_with_it(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var sessions = new LiveSessions();
        await using var reports = new SessionReports(director.Redis, sessions, () => director.Options, () => director.Directory.Incarnation);
        var key = $"imapdirector:{{incarnations}}:traffic:{director.Directory.Incarnation!.Epoch}";
        await director.OpenAsync(User("alice@example.com"), "s1");
        var (one, two) = (Session("s1", "alice@example.com"), Session("s2", "bob@example.com"));
        sessions.Add(one);
        sessions.Add(two);

        await reports.ExchangeAsync(CancellationToken.None);
        Assert.Equal(["s1", "s2"], (await redis.Database.HashKeysAsync(key)).Select(static id => id.ToString()).Order());
        Assert.Equal("0 0 node1", await redis.Database.HashGetAsync(key, "s1"));
        Assert.True(await redis.Database.KeyTimeToLiveAsync(key) > TimeSpan.Zero);

        one.Node = "node9";
        sessions.Remove(two);
        await reports.ExchangeAsync(CancellationToken.None);
        Assert.Equal([new HashEntry("s1", "0 0 node9")], await redis.Database.HashGetAllAsync(key));

        await redis.Database.HashSetAsync(key, "s1", "12 345 node9");
        var listed = Assert.Single((await director.Orders.ListSessionsAsync(new SessionFilter(null, "node9", null), CancellationToken.None))!);
        Assert.Equal((12, 345), (listed.BytesToNode, listed.BytesToClient));
        await redis.Database.HashSetAsync(key, "s1", "broken");
        Assert.Single((await director.Orders.ListSessionsAsync(new SessionFilter(null, null, null), CancellationToken.None))!);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_director_whose_lease_was_lost_tells_all_of_them_anew(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var sessions = new LiveSessions();
        var incarnation = director.Directory.Incarnation!;
        await using var reports = new SessionReports(director.Redis, sessions, () => director.Options, () => incarnation);
        var (one, two) = (Session("s1", "alice@example.com"), Session("s2", "bob@example.com"));
        sessions.Add(one);
        sessions.Add(two);
        await reports.ExchangeAsync(CancellationToken.None);

        incarnation = incarnation with { Epoch = incarnation.Epoch + 1 };
        sessions.Remove(two);
        await reports.ExchangeAsync(CancellationToken.None);
        Assert.Equal([new HashEntry("s1", "0 0 node1")], await redis.Database.HashGetAllAsync($"imapdirector:{{incarnations}}:traffic:{incarnation.Epoch}"));
    }

    [FactIfInstalled("redis-server")]
    public async Task What_Redis_was_told_without_an_answer_goes_with_its_session_as_well()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, with: static options => options with { RedisTimeout = TimeSpan.FromSeconds(1) });
        var sessions = new LiveSessions();
        var incarnation = director.Directory.Incarnation!;
        await using var reports = new SessionReports(director.Redis, sessions, () => director.Options, () => incarnation);
        var key = $"imapdirector:{{incarnations}}:traffic:{incarnation.Epoch}";
        await reports.ExchangeAsync(CancellationToken.None);
        var session = Session("s1", "alice@example.com");
        sessions.Add(session);

        await redis.Process.StallAsync();
        await reports.ExchangeAsync(CancellationToken.None);
        sessions.Remove(session);
        await redis.Process.ResumeAsync();
        await UntilAsync(() => redis.Database.HashExistsAsync(key, "s1"));

        await UntilAsync(async () =>
        {
            await reports.ExchangeAsync(CancellationToken.None);
            return !await redis.Database.HashExistsAsync(key, "s1");
        });
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Sessions_at_other_directors_count_for_the_limits_of_nodes_and_addresses(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        static DirectorOptions Limited(DirectorOptions options) => options with { MaxSessionsPerNode = 3, MaxSessionsPerAddress = 2 };
        await using var there = await TestDirector.StartAsync(redis.ConnectionString, "director2", with: Limited);
        await using var here = await TestDirector.StartAsync(redis.ConnectionString, with: Limited);
        var (mine, theirs) = (new LiveSessions(), new LiveSessions());
        await using var reports = new SessionReports(here.Redis, mine, () => here.Options, () => here.Directory.Incarnation);
        await using var others = new SessionReports(there.Redis, theirs, () => there.Options, () => there.Directory.Incarnation);
        theirs.Add(Session("t1", "alice@example.com", "2001:db8::1"));
        theirs.Add(Session("t2", "bob@example.com", "192.0.2.2"));
        await others.ExchangeAsync(CancellationToken.None);
        await reports.ExchangeAsync(CancellationToken.None);

        DirectoryOutcome Add(string id, string address, string node = "node1") => mine.TryAdd(Session(id, "carol@example.com", address, node), here.Options, reports.Elsewhere, Stopwatch.GetTimestamp());
        // Of the same /64.
        Assert.Equal(DirectoryOutcome.Assigned, Add("m1", "2001:db8::2"));
        Assert.Equal(DirectoryOutcome.AddressLimitReached, Add("m2", "2001:db8::3", "node2"));
        Assert.Equal(DirectoryOutcome.NodeLimitReached, Add("m3", "192.0.2.3"));
        Assert.Equal(DirectoryOutcome.Assigned, Add("m4", "192.0.2.3", "node2"));
        Assert.Equal(2, mine.Count);

        theirs.Remove(theirs.Snapshot().Single(static session => session.Id == "t1"));
        await others.ExchangeAsync(CancellationToken.None);
        await reports.ExchangeAsync(CancellationToken.None);
        Assert.Equal(DirectoryOutcome.Assigned, Add("m5", "2001:db8::3"));
    }

    private static LiveSession Session(string id, string user, string address = "192.0.2.1", string node = "node1") => new(User(user), node, IPAddress.Parse(address)) { Id = id };
}
