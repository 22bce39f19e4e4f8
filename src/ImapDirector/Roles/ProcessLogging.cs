using ImapDirector.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ImapDirector.Roles;

/// <summary>Log lines go to standard error, so that what a command prints stays apart from them.</summary>
internal static class ProcessLogging
{
    public static ILoggerFactory Create(LogLevel level, LogFormat format) => Create(new LogThreshold(level), format);

    public static ILoggerFactory Create(LogThreshold threshold, LogFormat format) => LoggerFactory.Create(logging => Configure(logging, threshold, format));

    public static void Configure(ILoggingBuilder logging, LogThreshold threshold, LogFormat format)
    {
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter(level => level >= threshold.Level);
        if (format == LogFormat.Json)
        {
            logging.AddJsonConsole(static json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
        }
        else
        {
            var lines = new LineFormatter(forJournal: format == LogFormat.Systemd);
            logging.Services.AddSingleton<ConsoleFormatter>(lines);
            logging.AddConsole(console => console.FormatterName = lines.Name);
        }
        logging.Services.Configure<ConsoleLoggerOptions>(static console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            // Whoever reads the log may be slow; the mail does not wait for them. How many lines were lost is logged.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
    }
}
