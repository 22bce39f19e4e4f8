using System.Net.Sockets;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>With bytes that come through streams, as with TLS.</summary>
public sealed class BufferedRelayLogoutTests() : RelayLogoutTests(threads: 0);

/// <summary>With streams that a thread of the relay moves, as with TLS of .NET's.</summary>
public sealed class LoopStreamRelayLogoutTests() : RelayLogoutTests(threads: 1, isDirect: false);

/// <summary>With a thread of the relay that moves the bytes itself.</summary>
public sealed class LoopRelayLogoutTests() : RelayLogoutTests(threads: 1)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_answer_goes_to_the_client_in_one_segment_with_the_end(bool isSecure)
    {
        var segments = 0;
        // It may be sent earlier where the thread stands still in between.
        for (var attempt = 0; attempt < 5 && segments != 1; attempt++)
        {
            await using var relay = await RelayUnderTest.StartAsync(threads: 1, isSecure);
            await relay.Node.SendAsync("* OK going on\r\n");
            Assert.Equal("* OK going on", await relay.Client.ReadLineAsync());
            var before = 0;
            await relay.WhileLoopStandsStillAsync(async () =>
            {
                await relay.Node.SendAsync(Farewell);
                await relay.Node.CloseSendingAsync();
                before = SegmentsTo(relay.Client.Socket);
            });
            Assert.Equal(Farewell, await relay.Client.ReadToEndAsync());
            segments = SegmentsTo(relay.Client.Socket) - before;
        }
        Assert.Equal(1, segments);
    }

    [Fact]
    public async Task The_answer_arrives_also_where_the_client_has_said_more_and_closed_its_side_and_the_node_is_lost_by_it()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1);
        await relay.WhileLoopStandsStillAsync(async () =>
        {
            await relay.Client.SendAsync("a LOGOUT\r\n\r\n");
            await relay.Client.CloseSendingAsync();
            await relay.Node.SendAsync(Farewell);
            relay.Node.Socket.Close();
        });
        Assert.Equal(Farewell, await relay.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_node_that_is_lost_behind_the_answer_brings_no_other_BYE()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1);
        await relay.Client.SendAsync("a LOGOUT\r\nb NOOP\r\n");
        while (relay.Node.Socket.Available < 18) await Task.Delay(1);
        await relay.WhileLoopStandsStillAsync(async () =>
        {
            await relay.Node.SendAsync(Farewell);
            // A reset, because of what it has not read.
            relay.Node.Socket.Close();
        });
        Assert.Equal(Farewell, await relay.Client.ReadToEndAsync());
    }

    // TCP_INFO of tcp(7): tcpi_segs_in.
    private static int SegmentsTo(Socket socket)
    {
        Span<byte> info = stackalloc byte[256];
        Assert.True(socket.GetRawSocketOption(6, 11, info) >= 144);
        return BitConverter.ToInt32(info[140..]);
    }
}

public abstract class RelayLogoutTests(int threads, bool isDirect = true)
{
    protected const string Farewell = "* BYE\r\na OK LOGOUT completed.\r\n";

    // Sooner than who has closed one side waits for the other.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_closes_behind_LOGOUT_or_its_client_is_not_lost(bool logsOut)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, keepClient: static () => throw new InvalidOperationException("Nobody is lost."));
        await relay.Client.SendAsync("a LOGOUT\r\n");
        Assert.Equal("a LOGOUT", await relay.Node.ReadLineAsync());
        if (logsOut) await relay.Node.SendAsync(Farewell);
        else
        {
            await relay.Client.CloseSendingAsync();
            Assert.Equal("", await relay.Node.ReadToEndAsync());
        }
        await relay.Node.DisposeAsync();

        Assert.Equal(logsOut ? Farewell : "", await relay.Client.ReadToEndAsync());
        await relay.Client.DisposeAsync();
        Assert.Equal(logsOut ? SessionEnd.NodeClosed : SessionEnd.ClientClosed, await relay.EndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_stays_behind_the_answer_is_not_waited_for(bool isSecure)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, isDirect);
        await relay.Client.SendAsync("a LOGOUT\r\n");
        await relay.Node.SendAsync(Farewell);
        await relay.Node.CloseSendingAsync();

        Assert.Equal(SessionEnd.NodeClosed, await relay.EndAsync().WaitAsync(Soon));
        Assert.Equal(Farewell, await relay.Client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_client_that_is_slow_gets_the_answer_also_where_the_node_takes_nothing_any_more()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, lastPatience: TimeSpan.FromSeconds(1));
        await RelayUnderTest.FillAsync(relay.Client.Socket);
        await relay.Node.SendAsync(Farewell);
        await relay.Node.CloseSendingAsync();

        await Task.Delay(TimeSpan.FromSeconds(4));
        Assert.Equal(Farewell, await relay.Client.ReadToEndAsync());
    }
}
