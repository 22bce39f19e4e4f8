using System.Runtime.InteropServices;

namespace ImapDirector.Network;

/// <summary>A second name of a file, for files that are never changed: a copy that takes no room.</summary>
public static partial class HardLink
{
    /// <summary>Gives a file a second name.</summary>
    /// <returns><c>false</c> where it cannot be: the file is missing, the two are on different file systems, or the system has nothing of the kind.</returns>
    public static bool TryCreate(string file, string name) => !OperatingSystem.IsWindows() && Link(file, name) == 0;

    // .NET has no hard links. Two paths go in, nothing is kept.
    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string file, string name);
}
