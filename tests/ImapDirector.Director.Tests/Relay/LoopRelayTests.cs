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
}
