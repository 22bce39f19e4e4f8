using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace ImapDirector.Tests.Shared;

/// <summary><c>imapdirector</c> as a process of its own, and what it prints. It is gone when this is disposed, whatever the test did.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    // Only a test that fails waits for it.
    private const int Attempts = 5;

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _printed = new();
    private readonly StringBuilder _log = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => TakeLine(line.Data);
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_log) _log.AppendLine(line.Data);
        };
    }

    /// <summary>Everything printed so far.</summary>
    public IReadOnlyList<string> Printed => [.. _printed];

    /// <summary>The log so far.</summary>
    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public IPEndPoint Imap => EndPointOf("IMAP");

    public IPEndPoint Imaps => EndPointOf("IMAPS");

    public IPEndPoint Lmtp => EndPointOf("LMTP");

    public Uri Http => new("http://" + EndPointOf("HTTP"));

    public int RedisPort => EndPointOf("Redis").Port;

    /// <summary>Starts it and waits for READY.</summary>
    public static Task<RunningProgram> StartAsync(params string[] arguments) => StartAsync(new Dictionary<string, string>(), arguments);

    /// <summary>Starts it with more variables in its environment, and waits for READY.</summary>
    public static async Task<RunningProgram> StartAsync(Dictionary<string, string> environment, params string[] arguments)
    {
        for (var attempt = 1; ; attempt++)
        {
            var program = new RunningProgram(Launch(environment, arguments));
            program._process.BeginOutputReadLine();
            program._process.BeginErrorReadLine();
            var ended = program._process.WaitForExitAsync();
            try
            {
                if (await Task.WhenAny(program._ready.Task, ended).WaitAsync(Patience) == program._ready.Task) return program;
            }
            catch (TimeoutException)
            {
                // Told below, with what it said.
            }
            var log = program.Log;
            await program.DisposeAsync();
            // Somebody's outgoing connection may have got the port that was free a moment ago.
            if (attempt == Attempts || !log.Contains("AddressAlreadyInUse", StringComparison.Ordinal)) throw new InvalidOperationException($"{string.Join(' ', arguments)} is not ready:\n{log}");
            await Task.Delay(BetweenAttempts);
        }
    }

    /// <summary>Starts everything in one process, on free ports.</summary>
    public static Task<RunningProgram> StandaloneAsync(string data, params string[] more) => StartAsync(
        ["standalone", "--data", data, "--imap-port", "0", "--imaps-port", "0", "--lmtp-port", "0", "--http-port", "0", "--redis-port", "0", .. more]);

    /// <summary>Runs a command to its end.</summary>
    public static Task<(int ExitCode, string Printed, string Error)> RunAsync(string input, params string[] arguments) => RunAsync(new Dictionary<string, string>(), input, arguments);

    /// <summary>Runs a command with these variables added to its environment.</summary>
    public static async Task<(int ExitCode, string Printed, string Error)> RunAsync(Dictionary<string, string> environment, string input, params string[] arguments)
    {
        using var process = Launch(environment, arguments);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended without reading it.
        }
        var (printed, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        return (process.ExitCode, await printed, await error);
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>SIGHUP.</summary>
    public async Task HangUpAsync()
    {
        using var kill = Process.Start("kill", ["-HUP", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private static Process Launch(Dictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "imapdirector.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException("imapdirector did not start.");
    }

    private void TakeLine(string? line)
    {
        if (line is null) return;
        _printed.Enqueue(line);
        if (line == "READY") _ready.TrySetResult();
    }

    private IPEndPoint EndPointOf(string name)
    {
        foreach (var line in _printed)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && words[0] == name) return IPEndPoint.Parse(words[1].Replace("http://", "", StringComparison.Ordinal).Split('/')[0]);
        }
        throw new InvalidOperationException($"No {name} was printed.");
    }
}
