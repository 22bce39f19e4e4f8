using ImapDirector.Director.Authentication;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class HashTurnsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Turns_go_by_rank_and_then_in_the_order_of_coming_and_each_fourth_to_who_has_waited_longest()
    {
        var turns = new HashTurns(1, 100);
        Assert.True(await turns.EnterAsync(default, default));
        var waiting = new Dictionary<string, Task<bool>>();
        foreach (var (name, failures) in new[] { ("a20", 20), ("b20", 20), ("c0", 0), ("d3", 3), ("e0", 0), ("f1", 1), ("known", -1), ("g2", 2) }) waiting[name] = Enter(turns, failures);

        var order = new List<string>();
        while (waiting.Count > 0)
        {
            turns.Leave();
            Assert.True(await (await Task.WhenAny(waiting.Values).WaitAsync(Patience)));
            var name = Assert.Single(waiting, one => one.Value.IsCompleted).Key;
            waiting.Remove(name);
            order.Add(name);
        }
        Assert.Equal(["known", "c0", "e0", "a20", "f1", "g2", "d3", "b20"], order);
        turns.Leave();
        Assert.True(await turns.EnterAsync(default, default));
    }

    [Fact]
    public async Task Who_has_others_of_the_address_waiting_goes_after_who_is_alone_as_long_as_they_do()
    {
        var turns = new HashTurns(1, 100);
        Assert.True(await turns.EnterAsync(default, default));
        var others = 40;
        var crowded = turns.EnterAsync(new HashRank(0) { Others = () => others }, default).AsTask();
        var alone = Enter(turns, 30);
        turns.Leave();
        Assert.True(await alone.WaitAsync(Patience));
        others = 2;
        var (late, known) = (Enter(turns, 3), turns.EnterAsync(HashRank.First with { Others = () => 40 }, default).AsTask());
        turns.Leave();
        Assert.True(await known.WaitAsync(Patience));
        turns.Leave();
        Assert.True(await crowded.WaitAsync(Patience));
        Assert.False(late.IsCompleted);
    }

    [Fact]
    public async Task Where_there_is_no_room_who_would_come_last_is_turned_away()
    {
        var turns = new HashTurns(1, 2);
        Assert.True(await turns.EnterAsync(default, default));
        var (failed, failedMore) = (Enter(turns, 5), Enter(turns, 9));
        Assert.False(await Enter(turns, 9));
        Assert.False(await Enter(turns, 10));
        var honest = Enter(turns, 0);
        Assert.False(await failedMore.WaitAsync(Patience));
        var known = Enter(turns, -1);
        Assert.False(await failed.WaitAsync(Patience));
        Assert.False(await Enter(turns, 0));
        Assert.Equal(2, turns.Waiting);

        turns.Leave();
        Assert.True(await known.WaitAsync(Patience));
        Assert.False(honest.IsCompleted);
        turns.Leave();
        Assert.True(await honest.WaitAsync(Patience));
    }

    [Fact]
    public async Task Where_none_may_wait_none_does()
    {
        var turns = new HashTurns(2, 0);
        Assert.True(await turns.EnterAsync(default, default));
        Assert.True(await turns.EnterAsync(default, default));
        Assert.False(await turns.EnterAsync(HashRank.First, default));
        turns.Leave();
        Assert.True(await turns.EnterAsync(default, default));
    }

    [Fact]
    public async Task Whoever_gives_up_waiting_takes_no_turn_and_no_room()
    {
        var turns = new HashTurns(1, 1);
        Assert.True(await turns.EnterAsync(default, default));
        using var patience = new CancellationTokenSource();
        var waiting = turns.EnterAsync(default, patience.Token).AsTask();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await turns.EnterAsync(default, patience.Token));
        Assert.Equal(0, turns.Waiting);

        turns.Leave();
        Assert.True(await turns.EnterAsync(default, default));
    }

    [Fact]
    public async Task Of_many_at_once_only_so_many_are_at_work_and_all_have_their_turn()
    {
        var (turns, working, most) = (new HashTurns(2, 200), 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => Task.Run(async () =>
        {
            Assert.True(await turns.EnterAsync(new HashRank(number % 7), default));
            var now = Interlocked.Increment(ref working);
            if (now > most) most = now;
            await Task.Yield();
            Interlocked.Decrement(ref working);
            turns.Leave();
        })));
        Assert.InRange(most, 1, 2);
        Assert.Equal(0, turns.Waiting);
    }

    private static Task<bool> Enter(HashTurns turns, int failures) => turns.EnterAsync(new HashRank(failures), CancellationToken.None).AsTask();
}
