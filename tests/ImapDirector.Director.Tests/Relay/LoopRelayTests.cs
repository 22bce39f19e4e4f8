using System.Net.Security;
using System.Text;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>With bytes that a thread of the relay moves between plain sockets.</summary>
public sealed class LoopRelayTests() : SessionRelayTests(threads: 1)
{
    [Fact]
    public async Task A_thread_that_ends_takes_its_sessions_with_it_and_no_new_ones()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1);
        await relay.Client.SendAsync("a NOOP\r\n");
        Assert.Equal("a NOOP\r\n", Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(8)));
        relay.EndThreads();
        Assert.Equal(SessionEnd.Fault, await relay.EndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_ended_first_is_the_end_although_the_other_end_follows_at_once(bool isReset)
    {
        for (var i = 0; i < 30; i++)
        {
            await using var relay = await RelayUnderTest.StartAsync(threads: 1, isSecure: true);
            await relay.Node.SendAsync("* BYE\r\n");
            await relay.Node.CloseSendingAsync();
            Assert.Equal("* BYE\r\n", await relay.Client.ReadToEndAsync());
            if (isReset) relay.Client.Socket.Close(0);
            else await relay.Client.CloseSendingAsync();

            Assert.Equal(SessionEnd.NodeClosed, await relay.EndAsync());
        }
    }

    [Fact]
    public async Task A_client_whose_end_and_loss_are_told_at_once_is_not_waited_for()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1, isSecure: true);
        await relay.Node.SendAsync("* OK nobody reads this\r\n");
        while (relay.Client.Socket.Available == 0) await Task.Delay(1);
        await relay.WhileLoopStandsStillAsync(async () =>
        {
            await ((SslStream)relay.Client.Stream).ShutdownAsync();
            // A reset, because of what it has not read.
            relay.Client.Socket.Close();
        });
        Assert.Equal(SessionEnd.ClientClosed, await relay.EndAsync().WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_client_that_was_lost_before_the_relay_began_is_noticed_although_its_node_takes_nothing()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1, prepare: static async (client, node) =>
        {
            await client.Client.SendAsync("a NOOP\r\n");
            client.Server.Input.AdvanceTo((await client.Server.Input.ReadAsync()).Buffer.Start);
            await RelayUnderTest.FillAsync(node.Server.Socket);
            client.Client.Socket.Close(0);
            // Behind the second its thread has asked once more, and been told.
            for (var turn = 0; turn < 2; turn++) await client.Server.Loop!.RunAsync(static () => { });
        });
        Assert.Equal(SessionEnd.ClientLost, await relay.EndAsync());
    }

    [Theory]
    [InlineData(60_000)]
    [InlineData(90_000)]
    [InlineData(120_000)]
    [InlineData(160_000)]
    [InlineData(220_000)]
    [InlineData(300_000)]
    public async Task Records_that_wait_for_a_slow_client_are_followed_by_the_rest_also_when_it_says_something_meanwhile(int firstRead)
    {
        const int length = 8 << 20;
        await using var relay = await RelayUnderTest.StartAsync(threads: 1, isSecure: true, prepare: static (client, node) =>
        {
            // Room for much more than one write: some of it is free again long before the system says so.
            (client.Server.Socket.SendBufferSize, client.Client.Socket.ReceiveBufferSize) = (400_000, 32_000);
            return Task.CompletedTask;
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var sending = relay.Node.Stream.WriteAsync(new byte[length], patience.Token).AsTask();
        for (var (before, now) = (-1L, 0L); now != before || now == 0; (before, now) = (now, relay.Relay.BytesToClient)) await Task.Delay(200, patience.Token);
        await relay.Client.Stream.ReadExactlyAsync(new byte[firstRead], patience.Token);
        await relay.Client.SendAsync("a NOOP\r\n");
        Assert.Equal("a NOOP\r\n", Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(8)));
        await relay.Client.Stream.ReadExactlyAsync(new byte[length - firstRead], patience.Token);
        await sending;
    }
}
