using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class ReloadTests
{
    [FactIfInstalled("redis-server")]
    public async Task Nodes_come_and_go_and_sessions_stay()
    {
        await using var first = FakeImapNode.Ready();
        await using var second = FakeImapNode.Ready("node2");
        await using var director = await RunningDirector.StartAsync(first.Backend);
        await using var alice = await director.LogInAsync();

        director.Server.Reload(director.Options with { Nodes = [first.Backend with { Weight = 0 }, second.Backend] });
        await using var bob = await director.LogInAsync("bob");
        Assert.Equal("node2", await director.Redis.Database.HashGetAsync("imapdirector:{bob@example.com}:assignment", "node"));

        director.Server.Reload(director.Options with { Nodes = [second.Backend] });
        await alice.SendAsync("b NOOP\r\n");
        await first.Session.UntilHeardAsync("b NOOP");
        await using var again = await director.ConnectAsync();
        Assert.StartsWith("a NO [UNAVAILABLE]", await again.AskAsync($"a LOGIN alice {RunningDirector.Password}"));
        Assert.Equal(["node2"], director.Server.Nodes.All.Select(static status => status.Node.Name));
    }

    [FactIfInstalled("redis-server")]
    public async Task What_operators_have_set_of_a_node_outlives_a_reload()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await director.Redis.Database.HashSetAsync("imapdirector:{cluster}:nodes", node.Backend.Name, "state=draining");
        await TestDirector.UntilAsync(() => Task.FromResult(director.Server.Nodes.Find("node1")!.State == NodeState.Draining));

        director.Server.Reload(director.Options with { Nodes = [node.Backend with { Weight = 7 }] });

        Assert.Equal((NodeState.Draining, 7), (director.Server.Nodes.Find("node1")!.State, director.Server.Nodes.Find("node1")!.Node.Weight));
    }

    [FactIfInstalled("redis-server")]
    public async Task Limits_hold_from_then_on()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var alice = await director.LogInAsync();
        await using var waiting = await director.ConnectAsync();

        director.Server.Reload(director.Options with { MaxSessionsPerUserAddress = 1, MaxConnectionsPerAddress = 1 });

        Assert.StartsWith("a NO [LIMIT]", await waiting.AskAsync($"a LOGIN alice {RunningDirector.Password}"));
        // It is reset, or closed, without a greeting.
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var refused = await ImapConversation.GreetedAsync(director.Server.ImapEndPoint!);
        });
        Assert.StartsWith("b OK", await waiting.AskAsync($"b LOGIN bob {RunningDirector.Password}"));
        await using var next = await director.ConnectAsync();
    }
}
