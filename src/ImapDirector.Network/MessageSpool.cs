using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace ImapDirector.Network;

/// <summary>A message on its way in: in pooled memory up to a threshold, then in a temporary file that is gone when this is disposed
/// (also after a crash: it is unlinked as soon as it is open).</summary>
/// <remarks>Written by one caller at a time, and read only once the writing is over.</remarks>
public sealed class MessageSpool : IAsyncDisposable
{
    private const int FirstBufferBytes = 8 * 1024;

    private readonly string _directory;
    private readonly int _memoryBytes;
    private byte[]? _memory;
    private SafeFileHandle? _file;
    private bool _isDisposed;

    /// <summary>Makes an empty spool.</summary>
    /// <param name="directory">Where a temporary file goes; it must exist.</param>
    /// <param name="memoryBytes">Above this it goes to the file.</param>
    public MessageSpool(string directory, int memoryBytes = 128 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(memoryBytes);
        (_directory, _memoryBytes) = (directory, memoryBytes);
    }

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Adds bytes.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory is not ours to write to.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (_file is null && Length + bytes.Length <= _memoryBytes)
        {
            Grow((int)Length + bytes.Length);
            bytes.CopyTo(_memory.AsMemory((int)Length));
        }
        else
        {
            if (_file is null) await MoveToFileAsync(cancellationToken);
            await RandomAccess.WriteAsync(_file!, bytes, Length, cancellationToken);
        }
        Length += bytes.Length;
    }

    /// <summary>Opens a reader at the beginning; several may be open at once, also in parallel. Call it after the last write.</summary>
    public Stream OpenRead()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _file is null ? new MemoryStream(_memory ?? [], 0, (int)Length, writable: false) : new SpoolReader(_file, Length);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        if (_isDisposed) return ValueTask.CompletedTask;
        _isDisposed = true;
        _file?.Dispose();
        ReleaseMemory();
        return ValueTask.CompletedTask;
    }

    private void Grow(int needed)
    {
        if (_memory is not null && _memory.Length >= needed) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstBufferBytes, (_memory?.Length ?? 0) * 2)));
        _memory.AsSpan(0, (int)Length).CopyTo(larger);
        ReleaseMemory();
        _memory = larger;
    }

    private async ValueTask MoveToFileAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(_directory, $"spool-{Guid.NewGuid():N}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.Asynchronous,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        // The stream only makes the file with its mode; what stays is the handle.
        var file = new FileStream(path, options).SafeFileHandle;
        try
        {
            File.Delete(path);
            if (Length > 0) await RandomAccess.WriteAsync(file, _memory.AsMemory(0, (int)Length), 0, cancellationToken);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _file = file;
        ReleaseMemory();
    }

    private void ReleaseMemory()
    {
        // Cleared, because the next to rent it may be another user's session.
        if (_memory is not null) ArrayPool<byte>.Shared.Return(_memory, clearArray: true);
        _memory = null;
    }
}
