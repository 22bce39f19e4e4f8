namespace ImapDirector.Network;

/// <summary>A message on its way in: in pooled memory up to a threshold, then in a temporary file that is gone when this is disposed
/// (also after a crash: it is unlinked as soon as it is open).</summary>
public sealed class MessageSpool : IAsyncDisposable
{
    /// <summary>Makes an empty spool.</summary>
    /// <param name="directory">Where a temporary file goes; it must exist.</param>
    /// <param name="memoryBytes">Above this it goes to the file.</param>
    public MessageSpool(string directory, int memoryBytes = 128 * 1024) => throw new NotImplementedException();

    /// <summary>Bytes written so far.</summary>
    public long Length => throw new NotImplementedException();

    /// <summary>Adds bytes.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Opens a reader at the beginning; several may be open at once, also in parallel. Call it after the last write.</summary>
    public Stream OpenRead() => throw new NotImplementedException();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
