using System.Runtime.InteropServices;

namespace ImapDirector.Network;

/// <summary>Memory of native libraries that they have freed and the C library keeps.</summary>
public static partial class FreedMemory
{
    private static volatile bool IsMissing;

    /// <summary>Gives it back to the system (malloc_trim(3)). Where the C library is not glibc it does nothing.</summary>
    public static void GiveBack()
    {
        if (!OperatingSystem.IsLinux() || IsMissing) return;
        try
        {
            // Whether anything was given back is of no interest.
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            IsMissing = true;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
