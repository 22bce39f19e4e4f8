using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace ImapDirector.Network;

/// <summary>A message on its way in: in pooled memory up to a threshold, then in a temporary file that is gone when this is disposed
/// (also after a crash: it is unlinked as soon as it is open).</summary>
/// <remarks>Written by one caller at a time, and read only once the writing is over.</remarks>
public sealed class MessageSpool : IAsyncDisposable
{
    private const int FirstBufferBytes = 8 * 1024;
    private const int MaxMemoryBytes = 128 * 1024;

    private readonly string _directory;
    private readonly int _memoryBytes;
    private readonly SpoolGroup? _group;
    private byte[]? _memory;
    private SafeFileHandle? _file;
    private long _start;
    private bool _isDisposed;

    /// <summary>Makes an empty spool.</summary>
    /// <param name="directory">Where a temporary file goes; it must exist.</param>
    /// <param name="memoryBytes">Above this it goes to the file.</param>
    public MessageSpool(string directory, int memoryBytes = MaxMemoryBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(memoryBytes);
        (_directory, _memoryBytes) = (directory, memoryBytes);
    }

    /// <summary>Makes an empty spool that shares memory and a file with others.</summary>
    /// <param name="group">Which are written before it, or after it.</param>
    public MessageSpool(SpoolGroup group) => (_directory, _memoryBytes, _group) = ("", MaxMemoryBytes, group);

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Adds bytes.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory is not ours to write to.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (_file is null && Length + bytes.Length <= _memoryBytes && _group?.TryTakeMemory(bytes.Length) != false)
        {
            Grow((int)Length + bytes.Length);
            bytes.CopyTo(_memory.AsMemory((int)Length));
        }
        else
        {
            if (_file is null) await MoveToFileAsync(cancellationToken);
            _group?.Grow(this, _start + Length + bytes.Length);
            await RandomAccess.WriteAsync(_file!, bytes, _start + Length, cancellationToken);
        }
        Length += bytes.Length;
    }

    /// <summary>Opens a reader at the beginning; several may be open at once, also in parallel. Call it after the last write.</summary>
    public Stream OpenRead()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _file is null ? new MemoryStream(_memory ?? [], 0, (int)Length, writable: false) : new SpoolReader(_file, _start, Length);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        if (_isDisposed) return ValueTask.CompletedTask;
        _isDisposed = true;
        if (_group is null) _file?.Dispose();
        ReleaseMemory();
        return ValueTask.CompletedTask;
    }

    private void Grow(int needed)
    {
        if (_memory is not null && _memory.Length >= needed) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(_group is null ? FirstBufferBytes : 0, (_memory?.Length ?? 0) * 2)));
        _memory.AsSpan(0, (int)Length).CopyTo(larger);
        ReleaseMemory();
        _memory = larger;
    }

    /// <summary>Makes a temporary file that is gone when it is closed.</summary>
    internal static SafeFileHandle MakeFile(string directory)
    {
        var path = Path.Combine(directory, $"spool-{Guid.NewGuid():N}");
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
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private async ValueTask MoveToFileAsync(CancellationToken cancellationToken)
    {
        var (file, start) = _group?.Enter(this) ?? (MakeFile(_directory), 0);
        try
        {
            if (Length > 0) await RandomAccess.WriteAsync(file, _memory.AsMemory(0, (int)Length), start, cancellationToken);
        }
        catch
        {
            if (_group is null) file.Dispose();
            throw;
        }
        (_file, _start) = (file, start);
        _group?.GiveMemory((int)Length);
        ReleaseMemory();
    }

    private void ReleaseMemory()
    {
        // Cleared, because the next to rent it may be another user's session.
        if (_memory is not null) ArrayPool<byte>.Shared.Return(_memory, clearArray: true);
        _memory = null;
    }
}
