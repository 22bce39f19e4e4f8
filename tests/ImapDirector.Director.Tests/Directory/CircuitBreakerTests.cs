using ImapDirector.Director.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Directory;

public sealed class CircuitBreakerTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void It_opens_at_the_threshold_and_lets_one_call_through_per_pause()
    {
        var breaker = new CircuitBreaker(_clock, 3, TimeSpan.FromSeconds(1));
        breaker.Failed();
        breaker.Failed();
        Assert.True(breaker.TryEnter());
        breaker.Failed();
        Assert.False(breaker.TryEnter());

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.TryEnter());
        breaker.Failed();
        Assert.False(breaker.TryEnter());

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(breaker.TryEnter());
        breaker.Succeeded();
        Assert.True(breaker.TryEnter());
        Assert.True(breaker.TryEnter());
    }

    [Fact]
    public void An_answer_in_between_starts_the_count_again()
    {
        var breaker = new CircuitBreaker(_clock, 2, TimeSpan.FromSeconds(1));
        breaker.Failed();
        breaker.Succeeded();
        breaker.Failed();
        Assert.True(breaker.TryEnter());
    }
}
