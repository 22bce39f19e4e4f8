using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Fuzz.Login;

/// <summary>Keeps every line that is logged until it is taken.</summary>
internal sealed class KeptLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();

    /// <summary>What was logged since it was last asked.</summary>
    public IReadOnlyList<(LogLevel Level, string Line)> Take()
    {
        var taken = new List<(LogLevel, string)>();
        while (_lines.TryDequeue(out var line)) taken.Add(line);
        return taken;
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, $"{eventId.Id} {formatter(state, exception)} {exception}"));

    public void Dispose()
    {
    }
}
