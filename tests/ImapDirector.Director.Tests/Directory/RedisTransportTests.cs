using System.Net;
using System.Net.Sockets;
using ImapDirector.Director.Directory;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using RESPite.Transports;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

#pragma warning disable SER009 // As with RedisTransport.

namespace ImapDirector.Director.Tests.Directory;

public sealed class RedisTransportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [FactIfInstalled("redis-server")]
    public async Task Whoever_asks_on_a_loop_goes_on_there_whatever_is_answered()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var connection = await ConnectAsync(redis.ConnectionString);
        using var loop = new PollLoop("test", NullLogger.Instance);
        var script = new RedisScript("return ARGV[1]");

        Assert.Equal([true, true, true, true], await Task.Run(async () =>
        {
            var stays = new List<bool>();
            await loop.SwitchAsync();
            stays.Add((await connection.CallAsync("test", database => database.PingAsync(), CancellationToken.None)).Succeeded && loop.IsCurrent);
            stays.Add(!(await connection.CallAsync("test", database => database.ExecuteAsync("NONSENSE"), CancellationToken.None)).Succeeded && loop.IsCurrent);
            // The second time Redis knows it.
            for (var i = 0; i < 2; i++)
            {
                var reply = await connection.RunAsync("test", script, [], ["told"], CancellationToken.None);
                stays.Add(reply is { Succeeded: true } && (string?)reply.Value == "told" && loop.IsCurrent);
            }
            await PollLoop.LeaveAsync();
            return stays;
        }).WaitAsync(Patience));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_script_that_Redis_has_forgotten_is_told_once_more()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var connection = await ConnectAsync(redis.ConnectionString);
        var script = new RedisScript("return redis.call('INCR', KEYS[1])");

        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal(i, (long)(await connection.RunAsync("test", script, ["counted"], [], CancellationToken.None)).Value!);
            await redis.Database.ExecuteAsync("SCRIPT", "FLUSH");
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task A_script_that_Redis_does_not_know_is_not_run_for_whoever_has_given_up()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var connection = await ConnectAsync(redis.ConnectionString);
        using var given = new CancellationTokenSource();

        await redis.Process.StallAsync();
        var call = connection.RunAsync("test", new RedisScript("return redis.call('INCR', KEYS[1])"), ["counted"], [], given.Token);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await redis.Process.ResumeAsync();

        // Behind the answer to a PING the first has been read, and what would be asked for it is asked before the last.
        await UntilAsync(async () => ((string?)await redis.Database.ExecuteAsync("INFO", "errorstats"))!.Contains("NOSCRIPT", StringComparison.Ordinal));
        Assert.True(await connection.IsAvailableAsync(CancellationToken.None));
        await Task.Delay(100);
        Assert.False((await connection.CallAsync("test", database => database.KeyExistsAsync("counted"), CancellationToken.None)).Value);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_many_threads_ask_at_once_is_answered_each()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var connection = await ConnectAsync(redis.ConnectionString);

        // Up to 100 KB, most of which the kernel does not take at once.
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (i, cancellationToken) =>
        {
            var text = new string((char)('a' + (i % 26)), 1 + (i * 997 % 100_000));
            var reply = await connection.CallAsync("test", database => database.ExecuteAsync("ECHO", text), cancellationToken);
            Assert.True(reply.Succeeded && (string?)reply.Value == text);
        });
    }

    [Fact]
    public async Task R8_What_waits_for_a_Redis_that_takes_nothing_has_a_limit_and_its_connection_ends()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var loop = new PollLoop("test", NullLogger.Instance);
        await using var transport = new RedisTransport(await Connection.ConnectAsync(silent.LocalEndpoint, CancellationToken.None, loop), loop);
        var receiver = new Receiver();
        transport.Start(receiver);
        using var accepted = await silent.AcceptSocketAsync();

        long written = 0;
        Assert.Throws<IOException>(() =>
        {
            while (written < 8L * RedisTransport.MaxWaitingBytes)
            {
                _ = transport.GetMemory(64 * 1024);
                transport.Advance(64 * 1024);
                written += 64 * 1024;
                transport.Flush();
            }
        });

        Assert.True(written > RedisTransport.MaxWaitingBytes, $"{written} bytes were written.");
        Assert.Null(await receiver.Closed.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task What_is_written_before_the_other_side_reads_arrives_in_its_order()
    {
        const int Most = 12 * 1024 * 1024;
        using var slow = new TcpListener(IPAddress.Loopback, 0);
        slow.Start();
        using var loop = new PollLoop("test", NullLogger.Instance);
        await using var transport = new RedisTransport(await Connection.ConnectAsync(slow.LocalEndpoint, CancellationToken.None, loop), loop);
        using var accepted = await slow.AcceptSocketAsync();

        await Task.Run(() =>
        {
            for (var written = 0; written < Most;)
            {
                var memory = transport.GetMemory(1).Span;
                var count = Math.Min(Math.Min(memory.Length, 1 + (written % 5000)), Most - written);
                for (var i = 0; i < count; i++) memory[i] = (byte)((written + i) % 251);
                transport.Advance(count);
                written += count;
                transport.Flush();
            }
        }).WaitAsync(Patience);
        var buffer = new byte[100_000];
        for (var read = 0; read < Most;)
        {
            var count = await accepted.ReceiveAsync(buffer).WaitAsync(Patience);
            for (var i = 0; i < count; i++) Assert.Equal((byte)((read + i) % 251), buffer[i]);
            Assert.NotEqual(0, count);
            read += count;
        }
    }

    [Fact]
    public async Task Nobody_waits_longer_than_allowed_for_a_Redis_that_takes_no_connection()
    {
        using var loop = new PollLoop("test", NullLogger.Instance);
        // Its backlog is full: the kernel answers nothing.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(full.LocalEndPoint!);
        var tunnel = new RedisTunnel(loop, TimeSpan.FromMilliseconds(200));

        var late = await Assert.ThrowsAsync<IOException>(async () => await tunnel.ConnectTransportAsync(full.LocalEndPoint!, ConnectionType.Interactive, default, CancellationToken.None).AsTask().WaitAsync(Patience));
        Assert.IsAssignableFrom<OperationCanceledException>(late.InnerException);
    }

    private static async Task<RedisConnection> ConnectAsync(string redis)
    {
        var options = new DirectorOptions { Name = "director1", Redis = redis, Nodes = TwoNodes, RedisTimeout = TimeSpan.FromSeconds(30) };
        var connection = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        await connection.ConnectAsync(CancellationToken.None);
        return connection;
    }

    private sealed class Receiver : TransportReceiver
    {
        public TaskCompletionSource<Exception?> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override bool OnReceived(ReadOnlySpan<byte> payload) => true;

        public override void OnClosed(Exception? fault) => Closed.SetResult(fault);
    }
}
