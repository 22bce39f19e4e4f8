using Microsoft.Extensions.Logging;
using Xunit;

namespace ImapDirector.Operations.Tests;

public sealed class LogBudgetTests
{
    private readonly SetClock _clock = new();

    [Fact]
    public void So_many_lines_a_minute_are_written_and_the_next_tells_how_many_were_not()
    {
        var budget = new LogBudget(_clock);
        for (var minute = 0; minute < 3; minute++)
        {
            for (var i = 0; i < LogBudget.Lines; i++)
            {
                Assert.True(budget.TryTake(out var leftOut));
                Assert.Equal(minute > 0 && i == 0 ? 5 : 0, leftOut);
            }
            for (var i = 0; i < 4; i++) Assert.False(budget.TryTake(out _));
            _clock.Advance(LogBudget.Span - TimeSpan.FromTicks(1));
            Assert.False(budget.TryTake(out _));
            _clock.Advance(TimeSpan.FromTicks(1));
        }
    }

    [Fact]
    public void Each_event_of_the_HTTP_server_has_so_many()
    {
        using var log = new LogLines();
        using var provider = new ForwardingLoggerProvider(log, _clock);
        var kestrel = provider.CreateLogger("Kestrel");
        for (var i = 0; i < 100; i++) Write(24, "rejected");
        Write(13, "other");
        Assert.Equal(LogBudget.Lines, log.Lines.Count(static line => line.Text.Contains("rejected", StringComparison.Ordinal)));
        Assert.Single(log.Lines, static line => line.Text.Contains("other", StringComparison.Ordinal));
        _clock.Advance(LogBudget.Span);
        Write(24, "rejected");
        Assert.Equal(LogBudget.Lines + 1, log.Lines.Count(static line => line.Text.Contains("rejected", StringComparison.Ordinal)));
        Assert.Contains($"{100 - LogBudget.Lines} lines of the HTTP server's event", log.Lines[^2].Text, StringComparison.Ordinal);

        void Write(int id, string text) => kestrel.Log(LogLevel.Warning, new EventId(id), text, null, static (state, _) => state);
    }

    private sealed class SetClock : TimeProvider
    {
        private TimeSpan _passed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _passed.Ticks;

        public void Advance(TimeSpan time) => _passed += time;
    }
}
