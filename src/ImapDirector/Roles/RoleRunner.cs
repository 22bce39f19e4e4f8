using System.Runtime.InteropServices;
using ImapDirector.CommandLine;
using ImapDirector.Configuration;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Roles;

/// <summary>Runs a role until the process is told to end: start, READY, signal, drain.</summary>
internal static partial class RoleRunner
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IRole role, ProcessSettings settings, ILoggerFactory loggers, TextWriter output)
    {
        var logger = loggers.CreateLogger("ImapDirector");
        using var stop = new StopSignals();
        await using (role)
        {
            try
            {
                await role.StartAsync(stop.First);
            }
            catch (OperationCanceledException) when (stop.First.IsCancellationRequested)
            {
                return ExitCode.Ok;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new ConfigurationException(refused.Message);
            }
            foreach (var line in role.Describe()) await output.WriteLineAsync(line);
            await output.WriteLineAsync("READY");
            await output.FlushAsync();

            await Task.Delay(Timeout.Infinite, stop.First).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Log.Stopping(logger, settings.DrainTimeout.TotalSeconds);
            try
            {
                await role.DrainAsync(settings.DrainTimeout).WaitAsync(stop.Second);
            }
            catch (OperationCanceledException) when (stop.Second.IsCancellationRequested)
            {
                // Asked a second time, whoever asks is in a hurry.
            }
            Log.Stopped(logger);
        }
        return ExitCode.Ok;
    }

    /// <summary>SIGTERM and SIGINT (and SIGQUIT), once and twice.</summary>
    private sealed class StopSignals : IDisposable
    {
        private readonly CancellationTokenSource _first = new();
        private readonly CancellationTokenSource _second = new();
        private readonly List<PosixSignalRegistration> _registrations = [];

        public StopSignals()
        {
            foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
                _registrations.Add(PosixSignalRegistration.Create(signal, Take));
        }

        public CancellationToken First => _first.Token;

        public CancellationToken Second => _second.Token;

        public void Dispose()
        {
            foreach (var registration in _registrations) registration.Dispose();
            _first.Dispose();
            _second.Dispose();
        }

        private void Take(PosixSignalContext context)
        {
            context.Cancel = true;
            (_first.IsCancellationRequested ? _second : _first).Cancel();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Stopping; sessions and deliveries have {Seconds:F0} s")]
        public static partial void Stopping(ILogger logger, double seconds);

        [LoggerMessage(2, LogLevel.Information, "Stopped")]
        public static partial void Stopped(ILogger logger);
    }
}
