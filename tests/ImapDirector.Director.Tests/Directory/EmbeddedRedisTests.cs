using ImapDirector.Standalone;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class EmbeddedRedisTests : IDisposable
{
    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("garnet-").FullName;

    [Fact]
    public async Task What_was_written_is_there_after_a_restart_and_after_another()
    {
        for (var round = 1; round <= 3; round++)
        {
            await using var redis = await StartAsync(_directory);
            await using var director = await TestDirector.StartAsync(redis.ConnectionString);
            await using var probe = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
            var database = probe.GetDatabase();
            for (var old = 1; old < round; old++)
            {
                Assert.Equal($"node{old}", await database.HashGetAsync($"imapdirector:{{user{old}}}:assignment", "node"));
                Assert.Equal(old, await database.StringGetAsync($"plain{old}"));
            }
            await database.HashSetAsync($"imapdirector:{{user{round}}}:assignment", [new("node", $"node{round}"), new("epoch", round)]);
            await database.StringSetAsync($"plain{round}", round);
            Assert.Equal(round, director.Directory.Incarnation!.Epoch);
        }
    }

    [Fact]
    public async Task What_was_written_before_and_after_a_checkpoint_is_there_after_a_restart()
    {
        await using (var redis = await StartAsync(_directory))
        {
            var options = ConfigurationOptions.Parse(redis.ConnectionString);
            options.AllowAdmin = true;
            await using var probe = await ConnectionMultiplexer.ConnectAsync(options);
            var database = probe.GetDatabase();
            await database.HashSetAsync("imapdirector:{before}:assignment", "node", "node1");
            await database.ExecuteAsync("SAVE");
            await database.HashSetAsync("imapdirector:{after}:assignment", "node", "node2");
        }

        await using var again = await StartAsync(_directory);
        await using var second = await ConnectionMultiplexer.ConnectAsync(again.ConnectionString);
        Assert.Equal("node1", await second.GetDatabase().HashGetAsync("imapdirector:{before}:assignment", "node"));
        Assert.Equal("node2", await second.GetDatabase().HashGetAsync("imapdirector:{after}:assignment", "node"));
    }

    [Fact]
    public async Task Every_answered_write_is_on_disk_at_that_moment()
    {
        // What the files hold while the server runs is what a kill -9 would leave.
        await using var redis = await StartAsync(_directory);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        for (var i = 0; i < 200; i++) await director.OpenAsync(User($"user{i}@example.com"), $"s{i}");
        var killed = System.IO.Directory.CreateTempSubdirectory("garnet-killed-").FullName;
        try
        {
            Copy(_directory, killed);
            await using var recovered = await StartAsync(killed);
            await using var probe = await ConnectionMultiplexer.ConnectAsync(recovered.ConnectionString);
            for (var i = 0; i < 200; i++)
            {
                var ticket = await director.Directory.AssignAsync(User($"user{i}@example.com"), CancellationToken.None);
                Assert.Equal(ticket.Node!.Name, await probe.GetDatabase().HashGetAsync($"imapdirector:{{user{i}@example.com}}:assignment", "node"));
                Assert.True(await probe.GetDatabase().HashExistsAsync($"imapdirector:{{user{i}@example.com}}:sessions", $"s{i}"));
            }
        }
        finally
        {
            System.IO.Directory.Delete(killed, true);
        }
    }

    [Fact]
    public async Task Without_its_password_nothing_is_answered()
    {
        await using var redis = await StartAsync(_directory);
        var options = ConfigurationOptions.Parse($"127.0.0.1:{redis.Port}");
        options.AbortOnConnectFail = false;
        await using var stranger = await ConnectionMultiplexer.ConnectAsync(options);

        await Assert.ThrowsAnyAsync<RedisException>(() => stranger.GetDatabase().StringGetAsync("x"));
    }

    [Fact]
    public async Task A_healthy_run_says_nothing()
    {
        using var log = new CountingLoggers();
        var redis = new EmbeddedRedis(_directory, FreePort.Next(), "secret", log);
        await redis.StartAsync(CancellationToken.None);
        await using (var director = await TestDirector.StartAsync(redis.ConnectionString)) await director.OpenAsync(User("alice@example.com"), "s1");
        await redis.DisposeAsync();

        Assert.Empty(log.Lines);
    }

    public void Dispose() => System.IO.Directory.Delete(_directory, true);

    private static async Task<EmbeddedRedis> StartAsync(string directory)
    {
        var redis = new EmbeddedRedis(directory, FreePort.Next(), "secret", NullLoggerFactory.Instance);
        await redis.StartAsync(CancellationToken.None);
        return redis;
    }

    private sealed class CountingLoggers : ILoggerFactory, ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }

    private static void Copy(string from, string to)
    {
        foreach (var folder in System.IO.Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
            System.IO.Directory.CreateDirectory(folder.Replace(from, to, StringComparison.Ordinal));
        foreach (var file in System.IO.Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var target = File.Create(file.Replace(from, to, StringComparison.Ordinal));
            source.CopyTo(target);
        }
    }
}
