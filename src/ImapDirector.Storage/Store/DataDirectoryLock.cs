namespace ImapDirector.Storage.Store;

/// <summary>Keeps a second node away from a data directory: both would give out the same UIDs, and neither would see the other's changes.</summary>
internal static class DataDirectoryLock
{
    /// <summary>Takes the directory until the result is disposed, or the process ends however it ends.</summary>
    /// <exception cref="IOException">Another process has it; the message names the directory and the fix.</exception>
    public static IDisposable Take(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException held) when (held is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new IOException($"DataDirectory is \"{directory}\", which another process uses: stop it, or name another directory.", held);
        }
    }
}
