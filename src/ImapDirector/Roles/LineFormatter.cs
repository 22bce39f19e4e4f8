using System.Globalization;
using ImapDirector.Protocol.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ImapDirector.Roles;

/// <summary>Each entry is one line, whatever strangers have put into it. It reads as the framework's single lines do, which let through what steers a terminal.</summary>
/// <param name="forJournal">As systemd's journal wants it: a number for the level, and no time.</param>
internal sealed class LineFormatter(bool forJournal) : ConsoleFormatter("line")
{
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var (name, priority) = NamesOf(logEntry.LogLevel);
        if (forJournal) textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"<{priority}>"));
        else textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {name}: "));
        textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"{logEntry.Category}[{logEntry.EventId.Id}] "));
        textWriter.Write(VisibleText.Of(logEntry.Formatter(logEntry.State, logEntry.Exception)));
        // Whose lines are the runtime's.
        if (logEntry.Exception is { } exception) textWriter.Write(' ' + VisibleText.Of(exception.ToString().Replace('\n', ' ')));
        textWriter.Write('\n');
    }

    private static (string Name, int Priority) NamesOf(LogLevel level) => level switch
    {
        LogLevel.Trace => ("trce", 7),
        LogLevel.Debug => ("dbug", 7),
        LogLevel.Information => ("info", 6),
        LogLevel.Warning => ("warn", 4),
        LogLevel.Error => ("fail", 3),
        _ => ("crit", 2),
    };
}
