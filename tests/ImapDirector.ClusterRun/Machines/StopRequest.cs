using System.Runtime.InteropServices;

namespace ImapDirector.ClusterRun.Machines;

/// <summary>Ctrl-C, or SIGTERM.</summary>
internal sealed class StopRequest : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopRequest() => _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        _asked.Cancel();
    }))];

    public CancellationToken Token => _asked.Token;

    /// <summary>Asks as well when the process around the sandbox is gone.</summary>
    public async Task FollowOutsideAsync()
    {
        await Sandbox.OutsideEndsAsync();
        await _asked.CancelAsync();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _asked.Dispose();
    }
}
