namespace ImapDirector.Network.Polling;

/// <summary>Empty pipes of one loop, to be used again.</summary>
public sealed class PipePool : IDisposable
{
    /// <summary>What a pipe is asked to hold, in bytes.</summary>
    public const int PipeBytes = 256 * 1024;

    private const int MostKept = 16;

    private readonly Stack<SplicePipe> _pipes = [];

    /// <summary>An empty pipe.</summary>
    /// <returns><c>null</c> when the system gives no more.</returns>
    public SplicePipe? TryRent()
    {
        if (_pipes.TryPop(out var pipe)) return pipe;
        return LinuxCalls.NewPipe(PipeBytes, out var readEnd, out var writeEnd) == 0 ? new SplicePipe(readEnd, writeEnd) : null;
    }

    /// <summary>Takes a pipe back. One with bytes in it is closed: they are somebody's.</summary>
    public void Return(SplicePipe pipe)
    {
        if (pipe.Count == 0 && _pipes.Count < MostKept) _pipes.Push(pipe);
        else pipe.Dispose();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        while (_pipes.TryPop(out var pipe)) pipe.Dispose();
    }
}

/// <summary>A pipe that bytes go through from one socket to another without leaving the kernel.</summary>
public sealed class SplicePipe : IDisposable
{
    private readonly int _readEnd;
    private readonly int _writeEnd;

    internal SplicePipe(int readEnd, int writeEnd) => (_readEnd, _writeEnd) = (readEnd, writeEnd);

    /// <summary>Bytes in it.</summary>
    public int Count { get; private set; }

    /// <summary>Fills it from a socket; it must be empty.</summary>
    /// <returns>A count, 0 at the end of the stream, or the error number below zero.</returns>
    public int Fill(int socket, int most)
    {
        var count = LinuxCalls.Splice(socket, _writeEnd, Math.Min(most, PipePool.PipeBytes));
        if (count > 0) Count += count;
        return count;
    }

    /// <summary>Empties it into a socket, as far as that takes it.</summary>
    /// <returns>A count, or the error number below zero.</returns>
    public int Drain(int socket)
    {
        var count = LinuxCalls.Splice(_readEnd, socket, Count);
        if (count > 0) Count -= count;
        return count;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        LinuxCalls.Close(_readEnd);
        LinuxCalls.Close(_writeEnd);
    }
}
