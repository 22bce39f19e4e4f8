using ImapDirector.Director.Relay;
using ImapDirector.Director.Tests.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

public sealed class RelayWatchTests
{
    [Fact]
    public async Task A_relay_is_looked_at_apart_from_when_its_end_begins_until_it_has_ended()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1, lastPatience: TimeSpan.FromHours(1));
        await relay.Node.SendAsync("* 1 EXISTS\r\n");
        Assert.Equal("* 1 EXISTS", await relay.Client.ReadLineAsync());
        Assert.Equal((1, 0), (relay.Watch.Count, relay.Watch.HurriedCount));

        // The node has half a minute for what it still has to say.
        await relay.Client.CloseSendingAsync();
        await TestDirector.UntilAsync(() => Task.FromResult(relay.Watch.HurriedCount == 1));
        relay.Kick();
        // Not twice; it may have ended by now.
        Assert.InRange(relay.Watch.HurriedCount, 0, 1);

        await relay.Node.DisposeAsync();
        await relay.EndAsync();
        Assert.Equal((0, 0), (relay.Watch.Count, relay.Watch.HurriedCount));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_relay_that_was_told_to_end_before_it_began_is_looked_at_apart_as_well(int threads)
    {
        // It cannot end as long as its client takes nothing.
        await using var relay = await RelayUnderTest.StartAsync(threads, lastPatience: TimeSpan.FromHours(1), prepare: static (client, _) => RelayUnderTest.FillAsync(client.Server.Socket), kickFirst: true);

        Assert.Equal((1, 1), (relay.Watch.Count, relay.Watch.HurriedCount));
    }

    [Fact]
    public async Task None_is_left_behind_by_kicks_that_come_as_it_begins_and_ends()
    {
        for (var i = 0; i < 50; i++)
        {
            await using var relay = await RelayUnderTest.StartAsync(threads: 1);
            await relay.Client.CloseSendingAsync();
            await Task.WhenAll(Task.Run(relay.Kick), Task.Run(relay.Watch.KickAll), Task.Run(relay.Node.CloseSendingAsync), Task.Run(relay.Kick));
            await relay.EndAsync();
            relay.Kick();
            Assert.Equal((0, 0), (relay.Watch.Count, relay.Watch.HurriedCount));
        }
    }
}
