using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>Whoever counts what is open, or opens very much, has the process for itself.</summary>
[CollectionDefinition(nameof(Descriptors), DisableParallelization = true)]
public sealed class Descriptors
{
    /// <summary>Sockets that are open. Those that tests before have left to the runtime are gone.</summary>
    public static int Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(static entry => LinkOf(entry).StartsWith("socket:", StringComparison.Ordinal));
    }

    private static string LinkOf(string entry)
    {
        try
        {
            return new FileInfo(entry).LinkTarget ?? "";
        }
        catch (IOException)
        {
            // Closed since it was listed.
            return "";
        }
    }
}
