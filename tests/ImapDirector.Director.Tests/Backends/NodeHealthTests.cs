using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class NodeHealthTests
{
    private static readonly BackendNode[] Three = [.. Enumerable.Range(1, 3).Select(static number => TestDirector.Node($"node{number}") with { Kind = BackendKind.Generic })];

    private static NodeHealth Of(params BackendNode[] nodes) => Of(static options => options, nodes);

    // Nodes of others: ours are asked for more than a greeting.
    private static NodeHealth Of(Func<DirectorOptions, DirectorOptions> with, params BackendNode[] nodes) =>
        Of(with, new NodeCapabilities(), [.. nodes.Select(static node => node with { Kind = BackendKind.Generic })]);

    private static NodeHealth Of(Func<DirectorOptions, DirectorOptions> with, NodeCapabilities capabilities, params BackendNode[] nodes) => new(
        with(new DirectorOptions { Nodes = nodes, NodeCheckInterval = TimeSpan.FromMilliseconds(100) }),
        new BackendTlsOptions(null), capabilities, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<NodeHealth>.Instance);

    private static void Fail(NodeHealth health, BackendNode node, int times = 3)
    {
        for (var i = 0; i < times; i++) health.Note(node, BackendFailure.Refused);
    }

    [Fact]
    public async Task Three_failures_in_a_row_take_a_node_out_and_two_answers_bring_it_back()
    {
        await using var health = Of(Three);
        Fail(health, Three[0], 2);
        health.Note(Three[0], BackendFailure.None);
        Fail(health, Three[0], 2);
        Assert.True(health.IsWell(Three[0]));
        Fail(health, Three[0], 1);
        Assert.False(health.IsWell(Three[0]));
        Assert.Equal([Three[1], Three[2]], health.WellOf(Three));

        health.Note(Three[0], BackendFailure.None);
        Fail(health, Three[0], 1);
        health.Note(Three[0], BackendFailure.LoginRefused);
        Assert.False(health.IsWell(Three[0]));
        health.Note(Three[0], BackendFailure.Unavailable);
        Assert.True(health.IsWell(Three[0]));
        Assert.Equal(Three, health.WellOf(Three));
    }

    [Theory]
    [InlineData(nameof(BackendFailure.Reset))]
    [InlineData(nameof(BackendFailure.Closed))]
    [InlineData(nameof(BackendFailure.LoginTimeout))]
    [InlineData(nameof(BackendFailure.Nonsense))]
    [InlineData(nameof(BackendFailure.KnownAway))]
    public async Task What_may_be_about_one_user_takes_no_node_from_the_others(string failure)
    {
        await using var health = Of(Three);
        for (var i = 0; i < 10; i++) health.Note(Three[0], Enum.Parse<BackendFailure>(failure));
        Assert.True(health.IsWell(Three[0]));
    }

    [Fact]
    public async Task When_most_nodes_fail_nothing_is_concluded_from_it()
    {
        await using var health = Of(Three);
        Fail(health, Three[0]);
        Fail(health, Three[1]);
        Assert.All(Three, node => Assert.True(health.IsWell(node)));
        Assert.Equal(Three, health.WellOf(Three));
        health.Note(Three[1], BackendFailure.None);
        health.Note(Three[1], BackendFailure.None);
        Assert.False(health.IsWell(Three[0]));
    }

    [Fact]
    public async Task Nodes_are_greeted_again_and_again()
    {
        var isWell = true;
        await using var turning = new FakeImapNode(async session => await session.WriteLineAsync(isWell ? NodeSession.Greeting : "* BYE going down"));
        await using var steady = FakeImapNode.Ready("node2");
        await using var health = Of(turning.Backend, steady.Backend);
        health.Start();

        await TestDirector.UntilAsync(() => Task.FromResult(turning.Sessions.Count >= 3));
        Assert.True(health.IsWell(turning.Backend));
        Volatile.Write(ref isWell, false);
        await TestDirector.UntilAsync(() => Task.FromResult(!health.IsWell(turning.Backend)));
        Volatile.Write(ref isWell, true);
        await TestDirector.UntilAsync(() => Task.FromResult(health.IsWell(turning.Backend)));
        Assert.True(health.IsWell(steady.Backend));
        // Nobody logs in for that.
        Assert.All(steady.Sessions, static session => Assert.Empty(session.Heard));
    }

    [Fact]
    public async Task A_node_of_ours_is_asked_for_all_it_offers_and_one_of_others_is_not()
    {
        await using var ours = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.WriteLineAsync($"* CAPABILITY IMAP4rev1 IDLE MOVE QUOTA AUTH=OAUTHBEARER\r\n{NodeSession.Tag(await session.ReadLineAsync())} OK done");
            await session.ListenAsync();
        });
        await using var other = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync("* OK [CAPABILITY IMAP4rev1 IDLE MOVE] ready");
            await session.ListenAsync();
        }, "node2");
        var capabilities = new NodeCapabilities();
        await using var health = Of(static options => options, capabilities, ours.Backend, other.Backend with { Kind = BackendKind.Generic });
        health.Start();
        await TestDirector.UntilAsync(() => Task.FromResult(capabilities.Common == "IDLE MOVE"));
        // A look may have given up before it came so far.
        Assert.Contains(ours.Sessions, static session => session.Heard == "D1 CAPABILITY\r\n");
        Assert.All(ours.Sessions, static session => Assert.StartsWith(session.Heard, "D1 CAPABILITY\r\n", StringComparison.Ordinal));
        Assert.All(other.Sessions, static session => Assert.Empty(session.Heard));
    }

    [Fact]
    public async Task Nodes_that_come_are_greeted_and_those_that_are_gone_are_not_and_count_for_nothing()
    {
        await using var first = FakeImapNode.Ready();
        await using var second = FakeImapNode.Ready("node2");
        await using var health = Of(first.Backend);
        health.Start();
        await TestDirector.UntilAsync(() => Task.FromResult(!first.Sessions.IsEmpty));

        health.Follow([second.Backend]);
        await TestDirector.UntilAsync(() => Task.FromResult(!second.Sessions.IsEmpty));
        var seen = first.Sessions.Count;
        var soFar = second.Sessions.Count;
        await TestDirector.UntilAsync(() => Task.FromResult(second.Sessions.Count >= soFar + 5));
        // One may have been under way.
        Assert.InRange(first.Sessions.Count, seen, seen + 1);
    }

    [Fact]
    public async Task What_is_thought_of_a_node_stays_with_another_weight_and_goes_with_another_address()
    {
        await using var health = Of(Three);
        Fail(health, Three[0]);
        Assert.False(health.IsWell(Three[0]));
        health.Follow([Three[0] with { Weight = 7, Pool = "other" }, Three[1], Three[2]]);
        Assert.False(health.IsWell(Three[0]));
        health.Follow([Three[0] with { Host = "127.0.0.2" }, Three[1], Three[2]]);
        Assert.True(health.IsWell(Three[0]));
        // One that is taken out counts no more among those that are away.
        Fail(health, Three[0]);
        Fail(health, Three[1]);
        Assert.True(health.IsWell(Three[0]));
        health.Follow([Three[0], Three[2]]);
        health.Follow([Three[0], Three[2], TestDirector.Node("node4")]);
        Fail(health, Three[0]);
        Assert.False(health.IsWell(Three[0]));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 4)]
    public async Task How_often_in_a_row_it_takes_can_be_set(int fall, int rise)
    {
        await using var health = Of(options => options with { NodeCheckFall = fall, NodeCheckRise = rise }, Three);
        Fail(health, Three[0], fall - 1);
        Assert.True(health.IsWell(Three[0]));
        Fail(health, Three[0], 1);
        Assert.False(health.IsWell(Three[0]));
        for (var i = 1; i < rise; i++) health.Note(Three[0], BackendFailure.None);
        Assert.False(health.IsWell(Three[0]));
        health.Note(Three[0], BackendFailure.None);
        Assert.True(health.IsWell(Three[0]));
    }

    [Fact]
    public async Task A_user_for_checks_is_logged_in_with_each_and_a_node_that_refuses_is_away()
    {
        var isWell = true;
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.AnswerLoginAsync(Volatile.Read(ref isWell) ? NodeSession.LoggedIn : "NO [SERVERBUG] no disk");
            await session.ListenAsync();
        });
        await using var second = FakeImapNode.Ready("node2");
        await using var third = FakeImapNode.Ready("node3");
        await using var health = Of(static options => options with { NodeCheckUser = "check@example.com" }, node.Backend, second.Backend, third.Backend);
        health.Start();

        await TestDirector.UntilAsync(() => Task.FromResult(node.Sessions.Count >= 2));
        Assert.True(health.IsWell(node.Backend));
        Assert.Equal("check@example.com\0director\0node secret", node.Sessions.First().Credentials);
        Volatile.Write(ref isWell, false);
        await TestDirector.UntilAsync(() => Task.FromResult(!health.IsWell(node.Backend)));
        Assert.True(health.IsWell(second.Backend));
    }

    [FactIfInstalled("redis-server")]
    public async Task Users_of_a_node_that_is_away_are_refused_at_once_and_new_ones_go_elsewhere()
    {
        await using var there = FakeImapNode.Ready("node2");
        var away = there.Backend with { Name = "node1", ImapPort = FreePort.Next() };
        await using var director = await RunningDirector.StartAsync(there.Backend, options => options with
        {
            Nodes = [away, there.Backend],
            NodeCheckInterval = TimeSpan.FromMilliseconds(100),
        });
        await director.Redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 1)]);
        await TestDirector.UntilAsync(() => Task.FromResult(director.Lines.Any(static line => line.StartsWith("3311 ", StringComparison.Ordinal))));

        await using var client = await director.ConnectAsync();
        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync($"a LOGIN alice {RunningDirector.Password}"));
        // Without a try and its pauses.
        Assert.Contains(director.Lines, static line => line.Contains("backend_failed", StringComparison.Ordinal));
        Assert.DoesNotContain(director.Lines, static line => line.StartsWith("3301 ", StringComparison.Ordinal));
        await using var bob = await director.LogInAsync("bob");
        Assert.Equal("node2", await director.Redis.Database.HashGetAsync("imapdirector:{bob@example.com}:assignment", "node"));
    }
}
