using System.Collections.Concurrent;
using System.Diagnostics;

namespace ImapDirector.ClusterRun.Machines;

/// <summary>Starts programs that the kernel ends with this process. It ends them with the thread that started them, so that is one which lives as long.</summary>
internal static class Launcher
{
    private static readonly BlockingCollection<Action> Waiting = [];

    static Launcher() => new Thread(StartThemAll)
    {
        IsBackground = true,
        Name = "launcher",
    }.Start();

    public static Task<Process> StartAsync(ProcessStartInfo program)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        program.ArgumentList.Insert(0, program.FileName);
        program.ArgumentList.Insert(0, "KILL");
        program.ArgumentList.Insert(0, "--pdeathsig");
        program.FileName = "setpriv";
        Waiting.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(program)!);
            }
            catch (Exception failed) when (failed is System.ComponentModel.Win32Exception or InvalidOperationException)
            {
                started.SetException(failed);
            }
        });
        return started.Task;
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int ExitCode, string Printed, string Error)> RunAsync(string program, params IEnumerable<string> arguments)
    {
        var process = await StartAsync(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true });
        using (process)
        {
            process.StandardInput.Close();
            var (printed, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode, await printed, await error);
        }
    }

    /// <summary>Runs a command that must not fail.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> MustRunAsync(string program, params IEnumerable<string> arguments)
    {
        var (exitCode, printed, error) = await RunAsync(program, arguments);
        return exitCode == 0 ? printed : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {exitCode}: {error}{printed}");
    }

    private static void StartThemAll()
    {
        foreach (var start in Waiting.GetConsumingEnumerable()) start();
    }
}
