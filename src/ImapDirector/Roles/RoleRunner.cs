using System.Runtime.InteropServices;
using ImapDirector.CommandLine;
using ImapDirector.Configuration;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Roles;

/// <summary>Runs a role until the process is told to end: start, READY, signal, drain.</summary>
internal static partial class RoleRunner
{
    private static readonly TimeSpan FileCheckInterval = TimeSpan.FromMinutes(1);

    /// <param name="role">What runs.</param>
    /// <param name="settings">How long a drain may take.</param>
    /// <param name="loggers">Where its loggers are made.</param>
    /// <param name="output">Where READY goes.</param>
    /// <param name="reload">Reads the configuration again; <c>null</c> where there is none.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IRole role, ProcessSettings settings, ILoggerFactory loggers, TextWriter output, SettingsReload? reload = null)
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

            await LookAfterAsync(new CertificateWatch(role.Certificates, logger, TimeProvider.System), reload, logger, stop.First);
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

    /// <summary>Shows a renewed certificate, and goes on with changed settings, as soon as SIGHUP says so, else within a minute, until the end.</summary>
    private static async Task LookAfterAsync(CertificateWatch certificates, SettingsReload? reload, ILogger logger, CancellationToken end)
    {
        using var asked = new SemaphoreSlim(0);
        certificates.Begin();
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            asked.Release();
        });
        while (true)
        {
            var isAsked = false;
            try
            {
                isAsked = await asked.WaitAsync(FileCheckInterval, end);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return;
            }
            certificates.Look(isAsked);
            if (reload is not null) Reload(reload, isAsked, logger);
        }
    }

    private static void Reload(SettingsReload reload, bool isAsked, ILogger logger)
    {
        try
        {
            var changes = reload.Read(isAsked);
            foreach (var change in changes) Log.SettingChanged(logger, change);
            if (isAsked && changes.Count == 0) Log.NothingNewInSettings(logger);
        }
        catch (ConfigurationException unusable)
        {
            foreach (var error in unusable.Errors) Log.SettingsKept(logger, error);
        }
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

        [LoggerMessage(6, LogLevel.Information, "The configuration has changed: {Change}")]
        public static partial void SettingChanged(ILogger logger, string change);

        [LoggerMessage(7, LogLevel.Error, "The configuration has changed and cannot be used, so everything stays as it was. {Error}")]
        public static partial void SettingsKept(ILogger logger, string error);

        [LoggerMessage(8, LogLevel.Information, "SIGHUP: nothing new in the configuration")]
        public static partial void NothingNewInSettings(ILogger logger);

        [LoggerMessage(2, LogLevel.Information, "Stopped")]
        public static partial void Stopped(ILogger logger);
    }
}
