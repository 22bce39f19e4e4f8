using System.Net;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>Two loops accept, and watch what they accept.</summary>
[Collection(nameof(Descriptors))]
public sealed class LoopListenerTests() : ListenerTests(loops: 2)
{
    [Fact]
    public async Task Connections_spread_over_the_loops_so_that_none_has_a_good_deal_more_than_another()
    {
        const int clients = 600;
        var served = 0;
        await using var listener = Listen(new ConnectionLimits(clients, clients), async (connection, _) =>
        {
            Interlocked.Increment(ref served);
            await connection.Input.ReadAsync(CancellationToken.None);
        });
        var connected = new List<Connection>();
        try
        {
            // One by one, as nearly all would be accepted by one thread alone.
            while (connected.Count < clients)
            {
                connected.Add(await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None));
                await TestBytes.UntilAsync(() => Volatile.Read(ref served) == connected.Count);
            }
            var counts = Loops.Select(static loop => loop.Count).Order().ToArray();
            // Each waits for the listening socket besides.
            Assert.Equal(clients + 2, counts.Sum());
            Assert.InRange(counts[1] - counts[0], 0, 16 + counts[1] / 8 + 1);
        }
        finally
        {
            foreach (var client in connected) await client.DisposeAsync();
        }
        await TestBytes.UntilAsync(() => Loops.Sum(static loop => loop.Count) == 2);
    }

    [Fact]
    public async Task A_handler_goes_on_on_its_connections_loop_until_it_leaves_it()
    {
        var seen = new TaskCompletionSource<PollLoop?[]>();
        await using var listener = Listen(new ConnectionLimits(10, 10), async (connection, _) =>
        {
            var first = PollLoop.Current;
            var read = await SayAndReadAsync(connection, "a");
            await PollLoop.LeaveAsync();
            var left = PollLoop.Current;
            seen.SetResult([connection.Loop, first, read, left, await SayAndReadAsync(connection, "b")]);
        });
        await using var client = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        foreach (var said in new[] { "a", "b" })
        {
            Assert.Equal(said, await client.HearAsync(1));
            await client.SayAsync("x");
        }
        var loops = await seen.Task.WaitAsync(TestBytes.Patience);

        Assert.Contains(loops[0], Loops);
        Assert.Equal([loops[0], loops[0], loops[0], null, loops[0]], loops);

        static async Task<PollLoop?> SayAndReadAsync(Connection connection, string words)
        {
            // It waits before the client is asked, so that it is certain to be waited for.
            var reading = ReadAsync(connection);
            await connection.SayAsync(words);
            return await reading;
        }

        static async Task<PollLoop?> ReadAsync(Connection connection)
        {
            var read = await connection.Input.ReadAsync();
            var where = PollLoop.Current;
            connection.Input.AdvanceTo(read.Buffer.End);
            return where;
        }
    }

    [Fact]
    public async Task When_a_loop_has_ended_nobody_can_listen_on_it()
    {
        var ended = new PollLoop("ended", NullLogger.Instance);
        ended.Dispose();
        await using var listener = new Listener("test", new IPEndPoint(IPAddress.Loopback, 0), new ConnectionLimits(1, 1), (_, _) => Task.CompletedTask, NullLogger.Instance, loops: [ended]);
        Assert.Throws<IOException>(listener.Start);
    }
}
