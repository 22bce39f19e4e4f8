using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImapDirector.ClusterRun.Machines;

/// <summary>A program of a cluster, on its host, with its output in files. It can be killed, paused and started again.</summary>
internal sealed class ClusterProgram(string name, TestHost host, string directory, IPEndPoint answersAt, string[] command) : IAsyncDisposable
{
    // Only a run that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<(DateTime From, DateTime To)> _lives = [];
    private readonly List<(DateTime From, DateTime To)> _pauses = [];
    private Process? _process;

    public string Name => name;

    public TestHost Host => host;

    /// <summary>Standard error of all its lives.</summary>
    public string LogFile => Path.Combine(directory, name + ".log");

    public bool Runs => _process is not null;

    /// <summary>From when to when it ran; the last may go on.</summary>
    public IReadOnlyList<(DateTime From, DateTime To)> Lives => _lives;

    /// <summary>For how long it was paused between these.</summary>
    public TimeSpan PausedFor(DateTime from, DateTime to)
    {
        lock (_pauses)
        {
            return _pauses.Where(pause => pause.From < to && pause.To > from)
                .Aggregate(TimeSpan.Zero, (sum, pause) => sum + ((pause.To < to ? pause.To : to) - (pause.From > from ? pause.From : from)));
        }
    }

    /// <summary>Starts it, and returns when its port accepts.</summary>
    public async Task StartAsync()
    {
        string[] all = [.. host.Enter, .. command];
        _lives.Add((DateTime.UtcNow, DateTime.MaxValue));
        _process = await Launcher.StartAsync(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >\"$0.out\" 2>>\"$0.log\" </dev/null", Path.Combine(directory, name), .. all]));
        using var patience = new CancellationTokenSource(Patience);
        while (!await AcceptsAsync(answersAt, patience.Token))
        {
            if (_process.HasExited) throw new InvalidOperationException($"{name} ended at once, its log is {LogFile}:\n{string.Join('\n', (await File.ReadAllLinesAsync(LogFile, patience.Token)).TakeLast(20))}");
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        if (!process.HasExited) process.Kill();
        await EndedAsync(process);
    }

    /// <summary>SIGTERM; SIGKILL when it has not ended in time.</summary>
    public async Task TerminateAsync(TimeSpan time)
    {
        if (_process is not { } process) return;
        await SignalAsync("TERM");
        try
        {
            await process.WaitForExitAsync().WaitAsync(time);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
        await EndedAsync(process);
    }

    /// <summary>SIGSTOP: its ports accept, and nothing answers.</summary>
    public async Task PauseAsync()
    {
        lock (_pauses) _pauses.Add((DateTime.UtcNow, DateTime.MaxValue));
        await SignalAsync("STOP");
    }

    /// <summary>SIGCONT.</summary>
    public async Task ResumeAsync()
    {
        await SignalAsync("CONT");
        lock (_pauses) _pauses[^1] = (_pauses[^1].From, DateTime.UtcNow);
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private static async Task<bool> AcceptsAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        try
        {
            using var probe = new TcpClient();
            await probe.ConnectAsync(endPoint, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task SignalAsync(string signal)
    {
        if (_process is { HasExited: false } process) await Launcher.MustRunAsync("/bin/kill", $"-{signal}", $"{process.Id}");
    }

    private async Task EndedAsync(Process process)
    {
        await process.WaitForExitAsync();
        _lives[^1] = (_lives[^1].From, DateTime.UtcNow);
        _process = null;
        process.Dispose();
    }
}
