using ImapDirector.Storage.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>How long work is shared out (limits N15, N16).</summary>
public sealed class WorkTurnsTests
{
    private readonly ProcessTurns _all = new();
    private readonly SemaphoreSlim _alices = new(1);

    [Fact]
    public async Task The_second_session_of_a_user_waits_until_the_first_gives_its_turn_back()
    {
        var (first, second) = (new WorkTurns(_all, _alices), new WorkTurns(_all, _alices));
        await first.EnterAsync();
        var waiting = second.EnterAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        first.End();
        await waiting;
        second.End();
    }

    [Fact]
    public async Task One_user_does_not_keep_another_waiting()
    {
        var hogs = Enumerable.Range(0, 50).Select(_ => new WorkTurns(_all, _alices)).ToArray();
        var entered = hogs.Select(static hog => hog.EnterAsync().AsTask()).ToArray();
        var bob = new WorkTurns(_all, new SemaphoreSlim(1));
        await bob.EnterAsync();
        bob.End();
        for (var i = 0; i < hogs.Length; i++)
        {
            await entered[i];
            hogs[i].End();
        }
    }

    [Fact]
    public async Task All_users_together_have_few_turns_and_get_them_in_the_order_they_asked()
    {
        var turns = Enumerable.Range(0, Math.Max(2, Environment.ProcessorCount) + 2).Select(_ => new WorkTurns(_all, new SemaphoreSlim(1))).ToArray();
        var entered = turns.Select(static turn => turn.EnterAsync().AsTask()).ToArray();
        Assert.Equal([.. Enumerable.Repeat(true, turns.Length - 2), false, false], entered.Select(static task => task.IsCompleted));
        turns[0].Pause();
        await entered[^2];
        Assert.False(entered[^1].IsCompleted);
        turns[1].Pause();
        await entered[^1];
        foreach (var turn in turns) turn.End();
    }

    [Fact]
    public async Task Who_waits_no_longer_takes_nothing_with_it()
    {
        var (first, second) = (new WorkTurns(_all, _alices), new WorkTurns(_all, _alices));
        await first.EnterAsync();
        using var deadline = new CancellationTokenSource();
        var waiting = second.EnterAsync(deadline.Token).AsTask();
        await deadline.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        second.End();
        first.End();
        Assert.Equal(1, _alices.CurrentCount);
    }

    [Fact]
    public async Task The_first_moment_is_free_and_a_turn_that_has_been_entered_is_not_entered_twice()
    {
        var (first, second) = (new WorkTurns(_all, _alices), new WorkTurns(_all, _alices));
        // Its moment is longer than a busy machine lets a thread stand still.
        var young = new WorkTurns(_all, _alices, moment: 60_000);
        await first.EnterAsync();
        await first.EnterAsync();
        young.Begin();
        Assert.True(young.NextAsync().AsTask().IsCompletedSuccessfully);
        second.Begin();
        await Task.Delay(30);
        var next = second.NextAsync().AsTask();
        Assert.False(next.IsCompleted);
        first.End();
        await next;
        second.End();
        Assert.Equal(1, _alices.CurrentCount);
    }
}
