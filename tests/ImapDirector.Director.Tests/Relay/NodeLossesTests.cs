using ImapDirector.Director.Relay;
using ImapDirector.Director.Tests.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

public sealed class NodeLossesTests
{
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(10);

    private readonly ManualClock _clock = new();

    private NodeLosses With(int sessions)
    {
        var losses = new NodeLosses(Spread, _clock);
        for (var i = 0; i < sessions; i++) losses.Opened("node1");
        return losses;
    }

    private static TimeSpan[] Lose(NodeLosses losses, int sessions, string node = "node1") => [.. Enumerable.Range(0, sessions).Select(_ => losses.Lost(node))];

    [Fact]
    public void When_a_node_loses_its_sessions_the_first_go_at_once_and_the_others_over_the_time()
    {
        var times = Lose(With(1000), 1000);
        Assert.All(times[..200], static time => Assert.Equal(TimeSpan.Zero, time));
        Assert.All(times[201..], static time => Assert.InRange(time, TimeSpan.Zero, Spread));
        // Eight hundred out of ten seconds: in each there are some.
        for (var second = 0; second < 10; second++) Assert.Contains(times[201..], time => (int)time.TotalSeconds == second);
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(1000, 200)]
    [InlineData(100_000, 20_000)]
    public void A_small_share_or_a_few_are_nothing_unusual(int sessions, int lost) =>
        Assert.All(Lose(With(sessions), lost), static time => Assert.Equal(TimeSpan.Zero, time));

    [Fact]
    public void What_ends_one_second_after_the_other_is_nothing_unusual()
    {
        var losses = With(1000);
        for (var second = 0; second < 10; second++)
        {
            Assert.All(Lose(losses, 50), static time => Assert.Equal(TimeSpan.Zero, time));
            for (var i = 0; i < 50; i++) losses.Closed("node1");
            _clock.Advance(TimeSpan.FromSeconds(1.1));
        }
    }

    [Fact]
    public void Another_node_is_another_matter()
    {
        var losses = With(100);
        for (var i = 0; i < 100; i++) losses.Opened("node2");
        Lose(losses, 100);
        Assert.Equal(TimeSpan.Zero, losses.Lost("node2"));
        Assert.Equal(TimeSpan.Zero, losses.Lost("unknown"));
    }

    [Fact]
    public void With_no_time_all_go_at_once()
    {
        var losses = new NodeLosses(TimeSpan.Zero, _clock);
        for (var i = 0; i < 100; i++) losses.Opened("node1");
        Assert.All(Lose(losses, 100), static time => Assert.Equal(TimeSpan.Zero, time));
    }
}
