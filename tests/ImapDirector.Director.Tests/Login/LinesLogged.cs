using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Keeps what is logged, each line behind its event's id.</summary>
internal sealed class LinesLogged : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ConcurrentQueue<string> Errors { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{eventId.Id} {formatter(state, exception)} {exception}";
        Lines.Enqueue(line);
        if (logLevel >= LogLevel.Error) Errors.Enqueue(line);
    }

    public void Dispose()
    {
    }
}
