using ImapDirector.Director.Directory;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class SessionLedgerTests
{
    [Fact]
    public async Task Records_that_were_lost_track_of_end_with_the_incarnation()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Garnet);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, "other");
        var ledger = new SessionLedger(director.Redis, capacity: 1);
        await using var lease = new IncarnationLease("director1", director.Redis, ledger, TimeSpan.FromSeconds(9), NullLogger.Instance);
        await lease.StartAsync(CancellationToken.None);
        var before = lease.Current!.Epoch;
        ledger.Opened(User("alice"), new SessionRecord("s1", "192.0.2.1", DateTimeOffset.UnixEpoch), before);

        ledger.CloseLater(User("bob"), "s2");
        ledger.CloseLater(User("bob"), "s3");

        await UntilAsync(() => Task.FromResult(lease.Current!.Epoch > before));
        Assert.False(lease.Current!.IsLive(before));
        await UntilAsync(async () => (await redis.Database.HashGetAsync("imapdirector:{alice}:sessions", "s1")).ToString()
            .StartsWith($"{lease.Current!.Epoch} director1 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_sessions_that_end_together_no_record_is_left()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Garnet);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var ids = Enumerable.Range(0, 2_000).Select(number => $"s{number}").ToArray();
        await redis.Database.HashSetAsync("imapdirector:{alice}:sessions", [.. ids.Append("other").Select(id => new HashEntry(id, "1 director1 192.0.2.1 0"))]);

        await Parallel.ForEachAsync(ids, (id, _) =>
        {
            director.Directory.SessionEnded(User("alice"), id);
            return ValueTask.CompletedTask;
        });

        await UntilAsync(async () => await redis.Database.HashLengthAsync("imapdirector:{alice}:sessions") == 1);
        Assert.True(await redis.Database.HashExistsAsync("imapdirector:{alice}:sessions", "other"));
    }

    [Fact]
    public async Task What_ends_while_Redis_is_away_is_taken_out_later()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Garnet);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var away = new RedisConnection(director.Options with { Redis = "127.0.0.1:1,connectTimeout=100", RedisTimeout = TimeSpan.FromMilliseconds(100) }, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        var ledger = new SessionLedger(away);

        for (var i = 0; i < 600; i++) ledger.Ended(User("alice"), $"s{i}");
        await ledger.WaitForEndedAsync().WaitAsync(TimeSpan.FromSeconds(30));

        Assert.True(ledger.HasWork);
        Assert.False(ledger.TakeOverflow());
        await away.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nend")]
    [InlineData("élan")]
    public void A_director_whose_name_would_break_a_record_does_not_start(string name) =>
        Assert.Throws<ArgumentException>(() => new IncarnationLease(name, null!, null!, TimeSpan.FromSeconds(1), NullLogger.Instance));

    [Fact]
    public void A_session_is_read_as_it_was_written_and_nothing_else_is_taken_for_one()
    {
        var session = new SessionRecord("s1", "2001:db8::1", DateTimeOffset.FromUnixTimeMilliseconds(1_795_000_000_123));
        var text = SessionValue.Format(new Incarnation(7, "director1", 7, ",7,"), session);

        Assert.True(SessionValue.TryParse("s1", text, out var epoch, out var director, out var read));
        Assert.Equal((7, "director1", session), (epoch, director, read));
        var full = session with { Tls = "1.3", Mechanism = "sasl_plain", ClientName = "Mail - \u00e9 100%" };
        Assert.True(SessionValue.TryParse("s1", SessionValue.Format(new Incarnation(7, "director1", 7, ",7,"), full), out _, out _, out read));
        Assert.Equal(full, read);
        Assert.True(SessionValue.TryParse("s1", SessionValue.Format(new Incarnation(7, "director1", 7, ",7,"), session with { ClientName = "-" }), out _, out _, out read));
        Assert.Equal("-", read.ClientName);
        var acted = full with { Master = TestDirector.User("support") };
        Assert.True(SessionValue.TryParse("s1", SessionValue.Format(new Incarnation(7, "director1", 7, ",7,"), acted), out _, out _, out read));
        Assert.Equal(acted, read);
        foreach (var broken in (string[])["", "7", "7 d a", "7 d a 1 2", "x d a 1", "7 d a x", "-7 d a 1", "7 d a 99999999999999999", "7 d a 1 - - - ", "7 d a 1 - - - No*Name", "7 d a 1 - - - m 8"])
            Assert.False(SessionValue.TryParse("s1", broken, out _, out _, out _), broken);
        Assert.Throws<ArgumentException>(() => SessionValue.Format(new Incarnation(7, "director1", 7, ",7,"), session with { ClientAddress = "a b" }));
    }
}
