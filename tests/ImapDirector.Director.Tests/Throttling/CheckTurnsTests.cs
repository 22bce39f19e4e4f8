using System.Net;
using ImapDirector.Director.Throttling;
using Xunit;

namespace ImapDirector.Director.Tests.Throttling;

public sealed class CheckTurnsTests
{
    private static readonly IPAddress One = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Other = IPAddress.Parse("192.0.2.2");

    [Fact]
    public async Task An_address_has_two_checks_under_way_and_holds_up_no_other_address()
    {
        var turns = new CheckTurns();
        var first = await turns.EnterAsync(One, false, default);
        using var second = await turns.EnterAsync(One, false, default);
        var third = turns.EnterAsync(One, false, default).AsTask();
        Assert.False(third.IsCompleted);
        (await turns.EnterAsync(Other, false, default)).Dispose();

        first.Dispose();
        first.Dispose();
        (await third.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        Assert.Equal(1, turns.Count);
    }

    [Fact]
    public async Task Who_is_known_at_an_address_has_turns_apart_from_those_who_guess_there()
    {
        var turns = new CheckTurns();
        using var first = await turns.EnterAsync(One, false, default);
        Assert.False(turns.IsBusy(One));
        using var second = await turns.EnterAsync(One, false, default);
        Assert.True(turns.IsBusy(One));
        Assert.False(turns.IsBusy(Other));

        var known = await turns.EnterAsync(One, true, default);
        using var another = await turns.EnterAsync(One, true, default);
        var third = turns.EnterAsync(One, true, default).AsTask();
        Assert.False(third.IsCompleted);
        Assert.Equal(2, turns.Count);
        known.Dispose();
        (await third.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
    }

    [Fact]
    public async Task Whoever_gives_up_waiting_leaves_nothing_behind()
    {
        var turns = new CheckTurns();
        using (await turns.EnterAsync(One, false, default))
        using (await turns.EnterAsync(One, false, default))
        {
            using var patience = new CancellationTokenSource();
            var third = turns.EnterAsync(One, false, patience.Token).AsTask();
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        }
        Assert.Equal(0, turns.Count);
    }

    [Fact]
    public async Task Many_at_once_all_have_their_turn()
    {
        var (turns, working, most) = (new CheckTurns(), 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async number =>
        {
            using var turn = await turns.EnterAsync(One, false, default);
            var now = Interlocked.Increment(ref working);
            if (now > most) most = now;
            await Task.Yield();
            Interlocked.Decrement(ref working);
        }));
        Assert.InRange(most, 1, 2);
        Assert.Equal(0, turns.Count);
    }
}
