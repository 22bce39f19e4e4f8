using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class NodeReachabilityTests
{
    [Fact]
    public async Task One_node_that_accepts_is_enough_and_the_answer_is_kept_for_a_moment()
    {
        var clock = new ManualClock();
        var node = FakeImapNode.Ready();
        BackendNode[] all = [node.Backend with { Name = "away", ImapPort = FreePort.Next() }, node.Backend];
        var nodes = new NodeReachability(() => all, clock);

        // On a busy machine a probe may run out of its time.
        await TestDirector.UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            return nodes.IsAnyReachableAsync();
        });
        await node.DisposeAsync();
        // Where nobody else listens meanwhile.
        all[1] = all[1] with { ImapPort = FreePort.Next() };
        clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.True(await nodes.IsAnyReachableAsync());
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(await nodes.IsAnyReachableAsync());
    }
}
