using System.Net.Sockets;

namespace ImapDirector.Network.Polling;

/// <summary>The stream of a socket that the runtime waits for.</summary>
/// <remarks>One read and one write at a time.</remarks>
internal sealed class SocketStream(ConnectionSocket socket, bool isAtRest = false) : Stream
{
    // From the beginning: of a socket that has said its end there can be none. Behind a relay only for who has to wait.
    private NetworkStream? _network = isAtRest ? null : new(socket.Socket, ownsSocket: false);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    private NetworkStream Network => _network ??= new NetworkStream(socket.Socket, ownsSocket: false);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Network.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Nearly always the kernel takes it all, and what waiting needs is not made.
        var sent = socket.SendAtOnce(buffer.Span);
        return sent == buffer.Length ? ValueTask.CompletedTask : Network.WriteAsync(buffer[sent..], cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read without waiting.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is written without waiting.");

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _network?.Dispose();
        base.Dispose(disposing);
    }
}
