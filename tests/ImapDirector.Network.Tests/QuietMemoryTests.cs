using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class QuietMemoryTests
{
    private const long MiB = 1024 * 1024;

    private readonly Clock _clock = new();
    private readonly QuietMemory _memory;
    private long _allocated;
    private int _collections;
    private TimeSpan _taken = TimeSpan.FromMilliseconds(5);

    public QuietMemoryTests() => _memory = new QuietMemory(_clock, () => _allocated, () =>
    {
        _collections++;
        _clock.Advance(_taken);
    });

    [Fact]
    public void What_work_has_left_is_given_back_once_when_it_is_over()
    {
        for (var i = 0; i < 100; i++) Look(allocated: MiB);
        Assert.Equal(0, _collections);

        for (var i = 0; i < 100; i++) Look(allocated: 1024);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void A_little_work_is_not_worth_it()
    {
        Look(allocated: 3 * MiB);
        for (var i = 0; i < 100; i++) Look(allocated: 1024);

        Assert.Equal(0, _collections);
    }

    [Fact]
    public void Work_that_comes_and_goes_has_it_given_back_twice_a_minute_at_most()
    {
        // Twenty minutes, each second look a quiet one.
        for (var i = 0; i < 120; i++)
        {
            Look(allocated: 100 * MiB);
            Look(allocated: 0);
        }

        Assert.InRange(_collections, 30, 40);
    }

    [Fact]
    public void What_takes_long_is_done_rarely()
    {
        _taken = TimeSpan.FromSeconds(1);
        for (var i = 0; i < 120; i++)
        {
            Look(allocated: 100 * MiB);
            Look(allocated: 0);
        }

        // A three hundredth of the time.
        Assert.InRange(_collections, 3, 4);
    }

    private void Look(long allocated)
    {
        _allocated += allocated;
        _clock.Advance(TimeSpan.FromSeconds(5));
        _memory.Look();
    }

    private sealed class Clock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
