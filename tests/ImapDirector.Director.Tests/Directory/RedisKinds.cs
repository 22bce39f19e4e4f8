using System.Reflection;
using ImapDirector.Standalone;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit.Sdk;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>Runs a theory on real Redis; skipped where it is not installed.</summary>
internal sealed class OnRedisAttribute : DataAttribute
{
    public OnRedisAttribute() => Skip = InstalledPrograms.ReasonToSkip("redis-server");

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[RedisKind.Redis]];
}

/// <summary>Runs a theory on the embedded Garnet.</summary>
internal sealed class OnGarnetAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[RedisKind.Garnet]];
}

public enum RedisKind
{
    Redis,
    Garnet,
}

/// <summary>A server of either kind, with a connection of the test's own to look behind the scenes.</summary>
internal sealed class TestRedis : IAsyncDisposable
{
    private readonly RedisServer? _redis;
    private readonly EmbeddedRedis? _garnet;
    private readonly string? _directory;

    private TestRedis(RedisServer? redis, EmbeddedRedis? garnet, string? directory, ConnectionMultiplexer probe)
    {
        (_redis, _garnet, _directory, Probe) = (redis, garnet, directory, probe);
        ConnectionString = redis?.ConnectionString ?? garnet!.ConnectionString;
    }

    public string ConnectionString { get; }

    public ConnectionMultiplexer Probe { get; }

    public IDatabase Database => Probe.GetDatabase();

    public RedisServer Process => _redis!;

    public static async Task<TestRedis> StartAsync(RedisKind kind)
    {
        if (kind == RedisKind.Redis)
        {
            var redis = await RedisServer.StartAsync();
            return new TestRedis(redis, null, null, await ProbeAsync(redis.ConnectionString));
        }
        var directory = System.IO.Directory.CreateTempSubdirectory("garnet-").FullName;
        var garnet = new EmbeddedRedis(directory, FreePort.Next(), "secret", NullLoggerFactory.Instance);
        await garnet.StartAsync(CancellationToken.None);
        return new TestRedis(null, garnet, directory, await ProbeAsync(garnet.ConnectionString));
    }

    public Task<RedisResult> FlushScriptsAsync() => Database.ExecuteAsync("SCRIPT", "FLUSH");

    public Task<RedisResult> FlushDataAsync() => Database.ExecuteAsync("FLUSHALL");

    public async ValueTask DisposeAsync()
    {
        await Probe.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
        if (_garnet is not null) await _garnet.DisposeAsync();
        if (_directory is not null) System.IO.Directory.Delete(_directory, true);
    }

    private static Task<ConnectionMultiplexer> ProbeAsync(string connection)
    {
        var options = ConfigurationOptions.Parse(connection);
        options.AbortOnConnectFail = false;
        options.AllowAdmin = true;
        // A machine that stands still for a while is no failure.
        options.ConnectTimeout = options.SyncTimeout = options.AsyncTimeout = 60_000;
        return ConnectionMultiplexer.ConnectAsync(options);
    }
}
