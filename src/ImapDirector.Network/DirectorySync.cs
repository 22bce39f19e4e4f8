using System.Runtime.InteropServices;

namespace ImapDirector.Network;

/// <summary>Brings a directory's entries to disk. A file that was synced can still be gone after a power cut when its directory was not.</summary>
public static partial class DirectorySync
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;
    private const int Interrupted = 4;

    /// <summary>Waits until the directory's entries are on disk. On Windows, where file systems journal them, it does nothing.</summary>
    /// <exception cref="IOException">The directory cannot be opened, or the disk refuses.</exception>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(directory, ReadOnly | CloseOnExec);
        if (descriptor < 0) throw Failure(directory);
        try
        {
            while (Fsync(descriptor) != 0)
                if (Marshal.GetLastPInvokeError() != Interrupted) throw Failure(directory);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string directory) =>
        new($"The directory \"{directory}\" cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}.");

    // .NET has no way to open a directory. Each call takes and gives back plain integers; the descriptor never leaves Flush.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
