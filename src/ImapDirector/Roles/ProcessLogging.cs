using ImapDirector.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ImapDirector.Roles;

/// <summary>Log lines go to standard error, so that what a command prints stays apart from them.</summary>
internal static class ProcessLogging
{
    public static ILoggerFactory Create(LogLevel level, LogFormat format) => Create(new LogThreshold(level), format);

    public static ILoggerFactory Create(LogThreshold threshold, LogFormat format) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter(level => level >= threshold.Level);
        switch (format)
        {
            case LogFormat.Json:
                logging.AddJsonConsole(static json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
                break;
            case LogFormat.Systemd:
                logging.AddSystemdConsole();
                break;
            default:
                logging.AddSimpleConsole(static simple => (simple.SingleLine, simple.UseUtcTimestamp, simple.TimestampFormat) = (true, true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z' "));
                break;
        }
        logging.Services.Configure<ConsoleLoggerOptions>(static console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            // Whoever reads the log may be slow; the mail does not wait for them. How many lines were lost is logged.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
    });
}
