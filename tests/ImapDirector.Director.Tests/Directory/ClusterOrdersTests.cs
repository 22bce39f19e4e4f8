using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Relay;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class ClusterOrdersTests
{
    [Theory, OnRedis, OnGarnet]
    public async Task A_kick_is_heard_by_every_director_and_once_only(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var one = await TestDirector.StartAsync(redis.ConnectionString);
        await using var two = await TestDirector.StartAsync(redis.ConnectionString, "director2");
        var orders = one.Orders;
        await orders.KickAsync(new SessionFilter(User("early@example.com"), null, null), CancellationToken.None);
        var sessions = new[] { new LiveSessions(), new LiveSessions() };
        var log = new[] { new KickLog(), new KickLog() };
        await using var first = new ClusterWatch(one.Redis, one.Nodes, sessions[0], log[0]);
        await using var second = new ClusterWatch(two.Redis, two.Nodes, sessions[1], log[1]);
        await first.StartAsync(CancellationToken.None);
        await second.StartAsync(CancellationToken.None);
        sessions[0].Add(new LiveSession(User("alice@example.com"), "node1", IPAddress.Loopback));
        sessions[0].Add(new LiveSession(User("bob@example.com"), "node1", IPAddress.Loopback));
        sessions[1].Add(new LiveSession(User("alice@example.com"), "node1", IPAddress.Parse("192.0.2.7")));

        Assert.True(await orders.KickAsync(new SessionFilter(User("alice@example.com"), null, null), CancellationToken.None));
        Assert.True(await orders.KickAsync(new SessionFilter(null, "node1", IPAddress.Loopback), CancellationToken.None));

        await UntilAsync(() => Task.FromResult(log.All(static one => one.Lines.Count == 2)));
        Assert.Equal(["1 sessions of user=alice@example.com were told to end", "2 sessions of node=node1 address=127.0.0.1 were told to end"], log[0].Lines);
        Assert.Equal(["1 sessions of user=alice@example.com were told to end", "0 sessions of node=node1 address=127.0.0.1 were told to end"], log[1].Lines);
    }

    [Theory, OnRedis, OnGarnet]
    public async Task A_kick_is_heard_though_Redis_has_lost_its_data_and_none_is_heard_twice(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var log = new KickLog();
        var sessions = new LiveSessions();
        await using var watch = new ClusterWatch(director.Redis, director.Nodes, sessions, log);
        await watch.StartAsync(CancellationToken.None);
        foreach (var name in (string[])["alice", "bob"]) await director.Orders.KickAsync(new SessionFilter(User($"{name}@example.com"), null, null), CancellationToken.None);
        await UntilAsync(() => Task.FromResult(log.Lines.Count == 2));

        await redis.Database.KeyDeleteAsync(["imapdirector:{cluster}:kicks", "imapdirector:{cluster}:kick-sequence"]);
        await director.Orders.KickAsync(new SessionFilter(User("carol@example.com"), null, null), CancellationToken.None);

        await UntilAsync(() => Task.FromResult(log.Lines.Count == 3));
        Assert.Equal(["alice", "bob", "carol"], log.Lines.Select(static line => line.Split('=', '@')[1]));
    }

    [Theory, OnRedis, OnGarnet]
    public async Task Sessions_are_listed_by_user_node_and_address_and_those_of_dead_directors_are_not(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString, nodes: [Node("node1")]);
        var orders = director.Orders;
        await director.OpenAsync(User("alice@example.com"), "a1");
        await director.OpenAsync(User("alice@example.com"), "a2", "2001:db8::1");
        await director.OpenAsync(User("bob@example.com"), "b1");
        await redis.Database.HashSetAsync("imapdirector:{bob@example.com}:sessions", [new("dead", "999 gone 192.0.2.1 1"), new("broken", "?")]);

        async Task<string[]> ListAsync(SessionFilter filter) =>
            [.. (await orders.ListSessionsAsync(filter, CancellationToken.None))!.Select(static session => session.Id).Order(StringComparer.Ordinal)];
        Assert.Equal(["a1", "a2", "b1"], await ListAsync(new SessionFilter(null, null, null)));
        Assert.Equal(["a1", "a2"], await ListAsync(new SessionFilter(User("alice@example.com"), null, null)));
        Assert.Equal(["a2"], await ListAsync(new SessionFilter(null, "node1", IPAddress.Parse("2001:DB8:0::1"))));
        Assert.Empty(await ListAsync(new SessionFilter(null, "node2", null)));
        await Assert.ThrowsAsync<ArgumentException>(() => orders.KickAsync(new SessionFilter(null, null, null), CancellationToken.None));
    }

    [Theory]
    [InlineData("user=alice@example.com")]
    [InlineData("user=alice@example.com node=node1 address=2001:db8::1")]
    [InlineData("address=192.0.2.1")]
    [InlineData("user=alice@example.com move=yes")]
    public void A_filter_is_read_as_it_was_written(string text)
    {
        Assert.True(SessionFilter.TryParse(text, out var filter));
        Assert.Equal(text, filter.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("user=")]
    [InlineData("user=Alice@example.com")]
    [InlineData("node=")]
    [InlineData("address=everywhere")]
    [InlineData("user=alice@example.com ")]
    [InlineData("user=alice@example.com since=yesterday")]
    [InlineData("user=alice@example.com move=no")]
    [InlineData("*")]
    public void An_order_that_cannot_be_read_as_a_whole_is_none(string text) => Assert.False(SessionFilter.TryParse(text, out _));

    private sealed class KickLog : Microsoft.Extensions.Logging.ILogger<ClusterWatch>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));
    }
}
