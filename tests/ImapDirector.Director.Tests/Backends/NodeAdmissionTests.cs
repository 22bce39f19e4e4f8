using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Prometheus;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class NodeAdmissionTests
{
    private readonly DirectorMetrics _metrics = new(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));

    private double Waiting => _metrics.WaitingLogins.WithLabels("node1").Value;

    private NodeAdmission Of(int places, int waiting) => new(new DirectorOptions { MaxLoginsPerNode = places, MaxWaitingLoginsPerNode = waiting }, _metrics);

    [Fact]
    public async Task D8_so_many_are_let_in_so_many_wait_and_one_more_is_refused()
    {
        var admission = Of(2, 1);
        using var first = await admission.EnterAsync("node1", LoginRank.New, CancellationToken.None);
        using var second = await admission.EnterAsync("node1", LoginRank.New, CancellationToken.None);
        var third = admission.EnterAsync("node1", LoginRank.New, CancellationToken.None).AsTask();
        Assert.False(third.IsCompleted);
        Assert.Equal(1, Waiting);
        Assert.Null(await admission.EnterAsync("node1", LoginRank.Another, CancellationToken.None));
        using var elsewhere = await admission.EnterAsync("node2", LoginRank.New, CancellationToken.None);
        Assert.NotNull(elsewhere);

        first!.Dispose();
        using var admitted = await third.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.NotNull(admitted);
        Assert.Equal(0, Waiting);
    }

    [Fact]
    public async Task Who_has_a_session_already_goes_before_who_has_none_and_else_the_order_is_kept()
    {
        var admission = Of(1, 10);
        var place = await admission.EnterAsync("node1", LoginRank.New, CancellationToken.None);
        var order = new List<string>();
        async Task WaitAsync(string who, LoginRank rank)
        {
            using var mine = await admission.EnterAsync("node1", rank, CancellationToken.None);
            lock (order) order.Add(who);
        }
        var all = Task.WhenAll(WaitAsync("guess", LoginRank.Check), WaitAsync("a", LoginRank.New), WaitAsync("b", LoginRank.New), WaitAsync("c", LoginRank.Another), WaitAsync("d", LoginRank.Another));

        place!.Dispose();
        await all.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(["c", "d", "a", "b", "guess"], order);
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(4, 2)]
    [InlineData(1, 0)]
    public async Task Who_only_asks_whether_a_password_is_right_waits_for_half_of_the_room(int room, int guesses)
    {
        var admission = Of(1, room);
        using var place = await admission.EnterAsync("node1", LoginRank.New, CancellationToken.None);
        for (var count = 0; count < guesses; count++) Assert.False(admission.EnterAsync("node1", LoginRank.Check, CancellationToken.None).AsTask().IsCompleted);

        Assert.Null(await admission.EnterAsync("node1", LoginRank.Check, CancellationToken.None));
        Assert.False(admission.EnterAsync("node1", LoginRank.New, CancellationToken.None).AsTask().IsCompleted);
        Assert.Equal(guesses + 1, Waiting);
    }

    [Fact]
    public async Task Who_gives_up_leaves_the_queue_and_a_place_left_twice_is_left_once()
    {
        var admission = Of(1, 1);
        var place = await admission.EnterAsync("node1", LoginRank.New, CancellationToken.None);
        using var given = new CancellationTokenSource();
        var waiting = admission.EnterAsync("node1", LoginRank.New, given.Token).AsTask();
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, Waiting);

        place!.Dispose();
        place.Dispose();
        using var next = await admission.EnterAsync("node1", LoginRank.New, CancellationToken.None);
        Assert.NotNull(next);
        var second = admission.EnterAsync("node1", LoginRank.New, CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        next.Dispose();
        (await second)!.Dispose();
    }

    [FactIfInstalled("redis-server")]
    public async Task D8_logins_at_a_slow_node_wait_for_their_turn_and_those_beyond_are_refused_at_once()
    {
        var go = new TaskCompletionSource();
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await go.Task;
            await session.AnswerLoginAsync(NodeSession.LoggedIn);
            await session.ListenAsync();
        });
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { MaxLoginsPerNode = 1, MaxWaitingLoginsPerNode = 1 });
        await using var first = await director.ConnectAsync();
        await using var second = await director.ConnectAsync();
        await first.SendAsync("a LOGIN alice secret\r\n");
        await TestDirector.UntilAsync(() => Task.FromResult(node.Sessions.Count == 1));
        await second.SendAsync("b LOGIN bob secret\r\n");
        await TestDirector.UntilAsync(async () => (await MetricsOf(director)).Contains("imapdirector_node_logins_waiting{node=\"node1\"} 1", StringComparison.Ordinal));
        await using var third = await director.ConnectAsync();

        Assert.StartsWith("c NO [UNAVAILABLE]", await third.AskAsync("c LOGIN alice secret"));
        Assert.Single(node.Sessions);
        go.SetResult();
        Assert.StartsWith("a OK", (await first.ReadUntilAsync("a"))[^1]);
        Assert.StartsWith("b OK", (await second.ReadUntilAsync("b"))[^1]);
    }

    [FactIfInstalled("redis-server")]
    public async Task Who_waits_too_long_is_told_to_come_again()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.ListenAsync();
        });
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { MaxLoginsPerNode = 1, BackendLoginTimeout = TimeSpan.FromSeconds(1) });
        await using var first = await director.ConnectAsync();
        await using var second = await director.ConnectAsync();
        await first.SendAsync("a LOGIN alice secret\r\n");
        await second.SendAsync("b LOGIN bob secret\r\n");

        Assert.StartsWith("a NO [UNAVAILABLE]", (await first.ReadUntilAsync("a"))[^1]);
        Assert.StartsWith("b NO [UNAVAILABLE]", (await second.ReadUntilAsync("b"))[^1]);
    }

    private static async Task<string> MetricsOf(RunningDirector director)
    {
        await using var text = new MemoryStream();
        await director.Registry.CollectAndExportAsTextAsync(text);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
