using ImapDirector.Network.Tls.OpenSsl;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>Who sends, and when.</summary>
public sealed class SendTurnTests
{
    private SendTurn _turn = new(new object());

    [Fact]
    public async Task Whoever_waits_has_it_in_the_order_of_coming()
    {
        Assert.True(_turn.TryTake());
        Assert.False(_turn.TryTake());
        var waiting = Enumerable.Range(0, 3).Select(_ => _turn.TakeAsync(CancellationToken.None)).ToArray();
        for (var i = 0; i < waiting.Length; i++)
        {
            _turn.End();
            await waiting[i].WaitAsync(TestBytes.Patience);
            Assert.All(waiting[(i + 1)..], static later => Assert.False(later.IsCompleted));
            Assert.False(_turn.TryTake());
        }
        _turn.End();
        Assert.True(_turn.TakeAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Whoever_has_stopped_waiting_keeps_it_from_nobody()
    {
        using var patience = new CancellationTokenSource();
        Assert.True(_turn.TryTake());
        var impatient = _turn.TakeAsync(patience.Token);
        var patient = _turn.TakeAsync(CancellationToken.None);
        await patience.CancelAsync();
        var stopped = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.WaitAsync(TestBytes.Patience));
        Assert.Equal(patience.Token, stopped.CancellationToken);
        Assert.False(patient.IsCompleted);
        _turn.End();
        await patient.WaitAsync(TestBytes.Patience);

        // The last one, too.
        var late = new CancellationTokenSource();
        impatient = _turn.TakeAsync(late.Token);
        await late.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.WaitAsync(TestBytes.Patience));
        late.Dispose();
        _turn.End();
        Assert.True(_turn.TryTake());
    }

    [Fact]
    public async Task One_that_is_cancelled_already_does_not_have_it()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _turn.TakeAsync(new CancellationToken(canceled: true)));
        Assert.True(_turn.TryTake());
    }

    [Fact]
    public async Task However_many_take_it_and_stop_waiting_one_has_it_at_a_time_and_it_is_never_lost()
    {
        var (having, taken) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 20_000; i++)
            {
                using var patience = new CancellationTokenSource();
                var stopping = Task.CompletedTask;
                if (random.Next(4) == 0)
                {
                    if (!_turn.TryTake()) continue;
                }
                else
                {
                    var taking = _turn.TakeAsync(patience.Token);
                    if (random.Next(3) == 0) stopping = Task.Run(patience.Cancel);
                    try
                    {
                        await taking;
                    }
                    catch (OperationCanceledException)
                    {
                        await stopping;
                        continue;
                    }
                }
                Assert.Equal(1, Interlocked.Increment(ref having));
                taken++;
                if (random.Next(10) == 0) await Task.Yield();
                Interlocked.Decrement(ref having);
                _turn.End();
                await stopping;
            }
        }))).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.InRange(taken, 1, 80_000);
        Assert.True(_turn.TryTake());
    }
}
