using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Throttling;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Throttling;

public sealed class LoginThrottleTests
{
    [Theory, OnRedis, OnGarnet]
    public async Task P15_each_further_guess_from_an_address_waits_longer_up_to_15_seconds_at_whichever_director(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind);
        var delays = new List<double>();
        for (var i = 0; i < 5; i++) delays.Add(await pair.FailAsync(i % 2, "192.0.2.1", "alice", $"guess{i}"));
        Assert.Equal([2, 4, 8, 15, 15], delays);
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.2", "alice", "guess"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task P15_the_same_guess_counts_once_at_whichever_director(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind);
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", "old password"));
        Assert.Equal(2, await pair.FailAsync(1, "192.0.2.1", "alice", "old password"));
        Assert.Equal(4, await pair.FailAsync(1, "192.0.2.1", "alice", "another"));
        Assert.Equal(4, await pair.FailAsync(0, "192.0.2.1", "alice", "old password"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_success_makes_it_forgotten_at_whichever_director(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind);
        for (var i = 0; i < 3; i++) await pair.FailAsync(0, "192.0.2.1", "alice", $"guess{i}");
        await pair.SucceedAsync(1, "192.0.2.1", "alice");
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", "guess9"));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Of_an_address_with_many_guesses_one_is_checked_in_15_seconds_by_all_directors_together(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind);
        for (var i = 0; i < 19; i++) await pair.FailAsync(0, "192.0.2.1", $"user{i}", "guess");
        Assert.True((await pair.EnterAsync(1, "192.0.2.1", "alice")).MayCheck);
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
        await pair.FailAsync(0, "192.0.2.1", "user19", "guess");

        // The twentieth failure is on the record; the next check is made, and then none for a while.
        var checks = 0;
        for (var i = 0; i < 20; i++) checks += (await pair.EnterAsync(i % 2, "192.0.2.1", $"other{i}")).MayCheck ? 1 : 0;
        Assert.InRange(checks, 0, 1);
        Assert.True((await pair.EnterAsync(0, "192.0.2.9", "alice")).MayCheck);
        // One account of his own does not buy a guesser another round.
        await pair.SucceedAsync(1, "192.0.2.1", "mallory");
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_user_who_is_guessed_at_still_comes_in_from_wherever_they_have_not_failed(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind);
        await pair.SucceedAsync(0, "198.51.100.7", "alice");
        // From three addresses, each below its own limit.
        for (var i = 0; i < 51; i++) await pair.FailAsync(i % 2, $"192.0.2.{i % 3}", "alice", $"guess{i}");

        var checks = 0;
        for (var i = 0; i < 6; i++) checks += (await pair.EnterAsync(i % 2, $"192.0.2.{i % 3}", "Alice@example.com")).MayCheck ? 1 : 0;
        Assert.InRange(checks, 0, 3);
        Assert.True((await pair.EnterAsync(1, "192.0.2.1", "bob")).MayCheck);
        for (var i = 0; i < 2; i++) Assert.True((await pair.EnterAsync(i, "203.0.113.2", "alice")).MayCheck);
        // An address that many share, and others have failed at.
        await pair.FailAsync(0, "203.0.113.3", "bob", "typo");
        Assert.True((await pair.EnterAsync(1, "203.0.113.3", "alice+folder")).MayCheck);
        // Where they always come from also after a slip of the own finger.
        await pair.FailAsync(0, "198.51.100.7", "alice", "typo");
        Assert.True((await pair.EnterAsync(0, "198.51.100.7", "alice")).MayCheck);
    }

    [Fact]
    public async Task Where_a_user_has_failed_once_the_user_s_spacing_holds()
    {
        await using var pair = await TwoDirectors.StartAsync(null, o => o with { UserFailures = 2 });
        for (var i = 0; i < 2; i++) await pair.FailAsync(0, $"192.0.2.{i}", "alice", "guess");
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
        await pair.FailAsync(0, "203.0.113.2", "alice", "typo");
        Assert.False((await pair.EnterAsync(0, "203.0.113.2", "alice")).MayCheck);
        pair.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await pair.EnterAsync(0, "203.0.113.2", "alice")).MayCheck);
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
    }

    [Theory, OnRedis, OnGarnet]
    public Task A_success_takes_off_what_its_user_failed_at_the_address_and_nothing_else(RedisKind kind) => SucceedInBetweenAsync(kind);

    [Fact]
    public Task Counted_alone_a_success_takes_off_as_much() => SucceedInBetweenAsync(null);

    private static async Task SucceedInBetweenAsync(RedisKind? kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind, o => o with { UserFailures = 2 });
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", "a"));
        for (var i = 0; i < 3; i++)
        {
            // The same guesses every time: what does not count may not be taken off.
            Assert.Equal(4, await pair.FailAsync(0, "192.0.2.1", "mallory", "m"));
            Assert.Equal(8, await pair.FailAsync(0, "192.0.2.1", "mallory", "n"));
            await pair.SucceedAsync(0, "192.0.2.1", "mallory");
        }
        Assert.Equal(4, await pair.FailAsync(0, "192.0.2.1", "bob", "b"));

        // Nor does alice's login at home forgive what is guessed elsewhere.
        await pair.FailAsync(0, "192.0.2.2", "alice", "a");
        await pair.SucceedAsync(0, "198.51.100.7", "alice");
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).IsSpaced);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Who_is_known_somewhere_is_so_up_to_ten_different_wrong_guesses(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind, o => o with { AddressFailures = 5 });
        await pair.SucceedAsync(0, "192.0.2.1", "alice");
        for (var i = 0; i < 9; i++) await pair.FailAsync(0, "192.0.2.1", "alice", $"guess{i}");
        for (var i = 0; i < 3; i++) await pair.FailAsync(0, "192.0.2.1", "alice", "guess8");
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "alice")).IsSpaced);
        await pair.FailAsync(0, "192.0.2.1", "alice", "guess9");
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).IsSpaced);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Who_is_known_somewhere_is_so_at_every_director_until_it_ends(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind, o => o with { AddressFailures = 2 });
        await pair.SucceedAsync(0, "192.0.2.1", "alice");
        for (var i = 0; i < 2; i++) await pair.FailAsync(0, "192.0.2.1", "bob", $"guess{i}");
        Assert.True((await pair.EnterAsync(1, "192.0.2.1", "bob")).MayCheck);
        Assert.False((await pair.EnterAsync(1, "192.0.2.1", "carol")).MayCheck);
        for (var i = 0; i < 2; i++) Assert.True((await pair.EnterAsync(1, "192.0.2.1", "alice")).MayCheck);
        if (kind == RedisKind.Redis)
        {
            var key = Assert.Single(pair.Redis!.Probe.GetServers()[0].Keys(pattern: "imapdirector:{throttle}:k:*"));
            Assert.Matches(@"\A[0-9a-f]{16}\z", (await pair.Redis.Database.StringGetAsync(key)).ToString());
            Assert.InRange((await pair.Redis.Database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromDays(6), TimeSpan.FromDays(7));
        }
        for (var i = 0; i < 10; i++) await pair.FailAsync(1, "192.0.2.1", "alice", $"guess{i}");
        Assert.False((await pair.EnterAsync(1, "192.0.2.1", "alice")).MayCheck);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Who_has_failed_less_is_hashed_first_and_who_is_known_before_everybody_at_whichever_director(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind);
        await pair.SucceedAsync(0, "2001:db8:1:2::3", "alice");
        for (var i = 0; i < 5; i++) await pair.FailAsync(0, "2001:db8:1:2::3", "bob", $"guess{i}");
        Assert.Equal(new HashRank(5), (await pair.EnterAsync(1, "2001:db8:1:2::3", "bob")).Rank);
        // Its /48 has as many.
        Assert.Equal(new HashRank(1), (await pair.EnterAsync(1, "2001:db8:1:3::3", "bob")).Rank);
        Assert.Equal(new HashRank(0), (await pair.EnterAsync(1, "2001:db8:2:2::3", "bob")).Rank);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(HashRank.First, (await pair.EnterAsync(i, "2001:db8:1:2::3", "alice")).Rank);
            Assert.True(await pair.IsKnownAsync(i, "2001:db8:1:2::3", "Alice@example.com"));
            Assert.False(await pair.IsKnownAsync(i, "2001:db8:1:2::3", "bob"));
            Assert.False(await pair.IsKnownAsync(i, "2001:db8:1:3::3", "alice"));
            Assert.False(await pair.IsKnownAsync(i, "2001:db8:1:2::3", "no name"));
        }
        // Whoever guesses at them there may do so ten times, but not before others.
        await pair.FailAsync(1, "2001:db8:1:2::3", "alice", "guess");
        Assert.Equal(new HashRank(0), (await pair.EnterAsync(1, "2001:db8:1:2::3", "alice")).Rank);
        await pair.SucceedAsync(1, "2001:db8:1:2::3", "alice");
        Assert.Equal(HashRank.First, (await pair.EnterAsync(1, "2001:db8:1:2::3", "alice")).Rank);
    }

    [Fact]
    public async Task Who_is_known_somewhere_is_so_for_a_week()
    {
        await using var pair = await TwoDirectors.StartAsync(null, o => o with { AddressFailures = 1 });
        await pair.SucceedAsync(0, "192.0.2.1", "alice");
        pair.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromTicks(1));
        await pair.FailAsync(0, "192.0.2.1", "bob", "guess");
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "alice")).IsSpaced);
        pair.Clock.Advance(TimeSpan.FromTicks(1));
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).IsSpaced);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", 2)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", 4)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:2::4", 4)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:ffff::4", 4)]
    [InlineData("2001:db8:1:2::3", "2001:db8:2:2::3", 2)]
    public async Task P12_an_IPv6_address_stands_for_its_64_and_its_48_prefix(string first, string second, double seconds)
    {
        await using var pair = await TwoDirectors.StartAsync(null);
        await pair.FailAsync(0, first, "alice", "a");
        Assert.Equal(seconds, await pair.FailAsync(0, second, "alice", "b"));
    }

    [Fact]
    public async Task P15_an_hour_after_the_last_failure_all_is_forgotten()
    {
        await using var pair = await TwoDirectors.StartAsync(null);
        await pair.FailAsync(0, "192.0.2.1", "alice", "a");
        pair.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(4, await pair.FailAsync(0, "192.0.2.1", "alice", "b"));
        pair.Clock.Advance(TimeSpan.FromMinutes(60));
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", "c"));
    }

    [Fact]
    public async Task Counted_alone_the_spacing_is_the_same()
    {
        await using var pair = await TwoDirectors.StartAsync(null);
        for (var i = 0; i < 20; i++) await pair.FailAsync(0, "192.0.2.1", $"user{i}", "guess");
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
        pair.Clock.Advance(TimeSpan.FromSeconds(15) - TimeSpan.FromTicks(1));
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
        pair.Clock.Advance(TimeSpan.FromTicks(1));
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
    }

    [FactIfInstalled("redis-server")]
    public async Task With_Redis_away_each_director_counts_for_itself()
    {
        await using var pair = await TwoDirectors.StartAsync(RedisKind.Redis);
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", "a"));
        await pair.Redis!.Process.KillAsync();
        Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", "b"));
        Assert.Equal(4, await pair.FailAsync(0, "192.0.2.1", "alice", "c"));
        Assert.True((await pair.EnterAsync(1, "192.0.2.1", "alice")).MayCheck);
    }

    [Fact]
    public async Task An_exempt_network_is_never_held_up()
    {
        await using var pair = await TwoDirectors.StartAsync(null, o => o with { ExemptNetworks = [IPNetwork.Parse("192.0.2.0/24")] });
        for (var i = 0; i < 30; i++) Assert.Equal(2, await pair.FailAsync(0, "192.0.2.1", "alice", $"guess{i}"));
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);
        // But of masters, whose names anybody may type into a webmail's form.
        for (var i = 0; i < 20; i++) await pair.FailAsync(0, "192.0.2.1", "*support", $"guess{i}");
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "*support")).IsSpaced);
        Assert.Empty((await pair.EnterAsync(0, "192.0.2.1", "alice")).Keys);
    }

    [Fact]
    public async Task A_master_s_failures_and_successes_are_not_those_of_the_user_of_that_name()
    {
        await using var pair = await TwoDirectors.StartAsync(null, o => o with { UserFailures = 3 });
        for (var i = 0; i < 3; i++) await pair.FailAsync(0, "192.0.2.1", "*alice@example.com", $"guess{i}");
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "*alice@example.com")).MayCheck);
        Assert.False((await pair.EnterAsync(0, "192.0.2.1", "*alice@example.com")).MayCheck);
        // A list of its own, where no domain is added.
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "*alice")).MayCheck);
        for (var i = 0; i < 2; i++) Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).MayCheck);

        for (var i = 0; i < 3; i++) await pair.FailAsync(0, "192.0.2.1", "alice", $"guess{i}");
        await pair.SucceedAsync(0, "192.0.2.1", "*alice@example.com");
        Assert.True(await pair.IsKnownAsync(0, "192.0.2.1", "*alice@example.com"));
        Assert.False(await pair.IsKnownAsync(0, "192.0.2.1", "alice"));
        Assert.True((await pair.EnterAsync(0, "192.0.2.1", "alice")).IsSpaced);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task When_everybody_guesses_every_refusal_waits_longest(RedisKind kind)
    {
        await using var pair = await TwoDirectors.StartAsync(kind, o => o with { FailuresPerMinute = 3 });
        // A minute may end in between.
        var delays = new List<double>();
        for (var i = 0; i < 8; i++) delays.Add(await pair.FailAsync(i % 2, $"192.0.2.{i}", $"user{i}", "guess"));
        Assert.Contains(15, delays);
        Assert.Equal([2, 2], delays.Take(2));
    }

    [FactIfInstalled("redis-server")]
    public async Task What_is_kept_has_an_end_and_names_nobody()
    {
        await using var pair = await TwoDirectors.StartAsync(RedisKind.Redis);
        await pair.FailAsync(0, "192.0.2.1", "alice", "secret guess");
        await pair.FailAsync(0, "2001:db8::1", "al ice", "secret guess");
        var server = pair.Redis!.Probe.GetServers()[0];
        var keys = server.Keys(pattern: "imapdirector:{throttle}:*").Select(key => key.ToString()).Order().ToArray();
        Assert.Equal(7, keys.Length);
        Assert.All(keys, key => Assert.Matches(@"\Aimapdirector:\{throttle\}:([anup]:\d+|minute)\z", key));
        foreach (var key in keys.Where(key => !key.EndsWith("minute", StringComparison.Ordinal)))
            Assert.InRange((await pair.Redis.Database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
    }

    private sealed class TwoDirectors : IAsyncDisposable
    {
        private readonly TestDirector?[] _directors;
        private readonly LoginThrottle[] _throttles;

        private TwoDirectors(TestRedis? redis, TestDirector?[] directors, RedisConnection[] connections, DirectorOptions options)
        {
            (Redis, _directors) = (redis, directors);
            _throttles = [.. connections.Select(connection => new LoginThrottle(options, connection, new ClusterSecret(connection), Clock))];
        }

        public TestRedis? Redis { get; }

        public ManualClock Clock { get; } = new();

        /// <param name="kind">Where they count together; <c>null</c> for each alone.</param>
        /// <param name="with">Changes the settings.</param>
        public static async Task<TwoDirectors> StartAsync(RedisKind? kind, Func<ThrottleOptions, ThrottleOptions>? with = null)
        {
            var throttle = new ThrottleOptions { Shared = kind is not null };
            var options = new DirectorOptions { DefaultDomain = "example.com", Throttle = with?.Invoke(throttle) ?? throttle };
            if (kind is null)
            {
                var metrics = new DirectorMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
                var none = new RedisConnection(options, metrics, Microsoft.Extensions.Logging.Abstractions.NullLogger<RedisConnection>.Instance);
                return new TwoDirectors(null, [], [none, none], options);
            }
            var redis = await TestRedis.StartAsync(kind.Value);
            TestDirector[] directors = [await TestDirector.StartAsync(redis.ConnectionString), await TestDirector.StartAsync(redis.ConnectionString, "director2")];
            return new TwoDirectors(redis, directors, [.. directors.Select(director => director.Redis)], options);
        }

        public async Task<ThrottleEntry> EnterAsync(int director, string address, string user) =>
            await _throttles[director].EnterAsync(IPAddress.Parse(address), ClaimOf(user).Who, CancellationToken.None);

        public async Task<bool> IsKnownAsync(int director, string address, string user) =>
            await _throttles[director].IsKnownAsync(IPAddress.Parse(address), ClaimOf(user).Who, CancellationToken.None);

        public async Task<double> FailAsync(int director, string address, string user, string password)
        {
            var entry = await EnterAsync(director, address, user);
            return (await _throttles[director].FailedAsync(entry, ClaimOf(user).Sent, Encoding.ASCII.GetBytes(password), CancellationToken.None)).TotalSeconds;
        }

        // A master where there is an asterisk in front.
        private static LoginClaim ClaimOf(string name) => name.StartsWith('*') ? LoginClaim.OfMaster(Encoding.ASCII.GetBytes(name[1..])) : LoginClaim.OfUser(Encoding.ASCII.GetBytes(name), "example.com");

        public async Task SucceedAsync(int director, string address, string user) => await _throttles[director].SucceededAsync(await EnterAsync(director, address, user), CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            foreach (var director in _directors) await director!.DisposeAsync();
            if (Redis is not null) await Redis.DisposeAsync();
        }
    }
}
