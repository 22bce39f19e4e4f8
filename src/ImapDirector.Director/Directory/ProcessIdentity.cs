using System.Diagnostics;
using System.Globalization;

namespace ImapDirector.Director.Directory;

/// <summary>Names a process, so that another one on the same machine can tell that it has ended: <c>boot,pid-namespace,pid,start</c>. On systems other than Linux nobody can.</summary>
internal static class ProcessIdentity
{
    // In /proc/PID/stat, behind the name: the state, and in clock ticks since boot when it was started.
    private const int StateField = 0, StartField = 19;

    private static readonly string? Here = DescribeHere();

    /// <summary>This process; <c>-</c> where that cannot be said.</summary>
    public static string Own { get; } = Here is not null && StartOf(Environment.ProcessId) is { } start ? string.Create(CultureInfo.InvariantCulture, $"{Here},{Environment.ProcessId},{start}") : "-";

    /// <summary>Whether a process has ended for certain. Of one on another machine, in another container, or before a restart of this machine nobody knows here.</summary>
    public static bool IsGone(string identity)
    {
        if (Here is null || !identity.StartsWith(Here + ",", StringComparison.Ordinal)) return false;
        var parts = identity[(Here.Length + 1)..].Split(',');
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) return false;
        try
        {
            // Asks by a signal: /proc may show a process's owner alone.
            using var running = Process.GetProcessById(pid);
        }
        catch (ArgumentException)
        {
            return true;
        }
        return StartOf(pid) is { } start && start != parts[1];
    }

    private static string? DescribeHere()
    {
        try
        {
            return new FileInfo("/proc/self/ns/pid").LinkTarget is { } pids ? $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()},{pids}" : null;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <returns>When it was started, or that it is a zombie; <c>null</c> where that cannot be read.</returns>
    private static string? StartOf(int pid)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length <= StartField ? null : fields[StateField] is "Z" or "X" ? "ended" : fields[StartField];
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
