using System.Diagnostics;

namespace ImapDirector.ClusterRun.Machines;

/// <summary>A process namespace around everything that a run starts, and where it is wanted a network namespace: the kernel ends all of it with the run, however that
/// ends. It takes root; without it programs ask the kernel one by one to end with the run, and there are no partitions.</summary>
internal static class Sandbox
{
    private const string Marker = "IMAPDIRECTOR_CLUSTER_SANDBOX";
    private static readonly string[] Processes = ["--pid", "--fork", "--kill-child", "--mount-proc"];

    /// <summary>Whether this process is in one.</summary>
    public static bool IsHere => Environment.GetEnvironmentVariable(Marker) is not null;

    /// <summary>Whether this process has a network of its own.</summary>
    public static bool HasNetwork => Environment.GetEnvironmentVariable(Marker) == "network";

    /// <summary>Whether one can be had here.</summary>
    public static bool IsPossible(bool network)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return false;
        try
        {
            using var probe = Process.Start(new ProcessStartInfo("unshare", [.. Processes, .. Network(network), "true"]) { RedirectStandardError = true })!;
            probe.WaitForExit();
            return probe.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Runs this program again in a sandbox, until it ends or this one is told to.</summary>
    /// <remarks>Called on the thread that lives as long as the process: the kernel ends the sandbox with the thread that started it.</remarks>
    /// <returns>Its exit code.</returns>
    public static int Run(string[] arguments, bool network)
    {
        string[] command = ["--pdeathsig", "KILL", "unshare", .. Processes, .. Network(network), "dotnet", "exec", typeof(Sandbox).Assembly.Location, .. arguments];
        var start = new ProcessStartInfo("setpriv", command) { RedirectStandardInput = true };
        start.Environment[Marker] = network ? "network" : "processes";
        using var inside = Process.Start(start)!;
        // The end of its input tells it to stop: a signal to unshare does not reach what is behind it.
        using var stop = new StopRequest();
        using var registration = stop.Token.Register(inside.StandardInput.Close);
        inside.WaitForExit();
        return inside.ExitCode;
    }

    /// <summary>Ends when the process outside is told to stop, or is gone.</summary>
    public static Task OutsideEndsAsync() => Console.OpenStandardInput().ReadAsync(new byte[1]).AsTask();

    private static string[] Network(bool network) => network ? ["--net"] : [];
}
