using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations;

/// <summary>Lets ASP.NET's loggers write where ours do, each of their events so often (<see cref="LogBudget"/>): whoever connects brings some about. The factory stays its maker's.</summary>
/// <param name="loggers">The factory.</param>
/// <param name="clock">What time it is.</param>
internal sealed partial class ForwardingLoggerProvider(ILoggerFactory loggers, TimeProvider clock) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new BoundedLogger(loggers.CreateLogger(categoryName), clock);

    public void Dispose()
    {
    }

    private sealed partial class BoundedLogger(ILogger logger, TimeProvider clock) : ILogger
    {
        // Events are constants of ASP.NET's: there are not many.
        private readonly ConcurrentDictionary<int, LogBudget> _budgets = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!logger.IsEnabled(logLevel) || !_budgets.GetOrAdd(eventId.Id, static (_, clock) => new LogBudget(clock), clock).TryTake(out var leftOut)) return;
            if (leftOut > 0) Told.LeftOut(logger, leftOut, eventId);
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }

    private static partial class Told
    {
        [LoggerMessage(4103, LogLevel.Warning, "{Count} lines of the HTTP server's event {Event} were left out")]
        public static partial void LeftOut(ILogger logger, long count, EventId @event);
    }
}
