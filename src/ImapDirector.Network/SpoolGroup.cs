using Microsoft.Win32.SafeHandles;

namespace ImapDirector.Network;

/// <summary>What spools that wait for one another share: a little memory, and one temporary file behind it. However many there are, they cost no more memory
/// than one or two by themselves, and one open file.</summary>
/// <remarks>They are written one after the other: one that has gone to the file is complete when the next one goes there. Dispose it after them.</remarks>
/// <param name="directory">Where the temporary file goes; it must exist.</param>
/// <param name="memoryBytes">What they may hold in memory together.</param>
public sealed class SpoolGroup(string directory, int memoryBytes = 256 * 1024) : IAsyncDisposable
{
    private int _memoryLeft = memoryBytes;
    private SafeFileHandle? _file;
    private MessageSpool? _writer;
    private long _end;

    /// <summary>Closes the file, which is gone then.</summary>
    public ValueTask DisposeAsync()
    {
        _file?.Dispose();
        return ValueTask.CompletedTask;
    }

    internal bool TryTakeMemory(int bytes)
    {
        if (bytes > _memoryLeft) return false;
        _memoryLeft -= bytes;
        return true;
    }

    internal void GiveMemory(int bytes) => _memoryLeft += bytes;

    /// <summary>A spool goes to the file, behind those before it.</summary>
    /// <returns>The file, and where the spool begins in it.</returns>
    internal (SafeFileHandle File, long Start) Enter(MessageSpool spool)
    {
        _writer = spool;
        return (_file ??= MessageSpool.MakeFile(directory), _end);
    }

    /// <summary>A spool has written up to here.</summary>
    internal void Grow(MessageSpool spool, long end)
    {
        if (spool != _writer) throw new InvalidOperationException("Another spool of the group has gone to the file since.");
        _end = end;
    }
}
