using System.Net.Sockets;

namespace ImapDirector.Network.Polling;

/// <summary>The stream of a socket that the runtime waits for.</summary>
/// <remarks>One read and one write at a time.</remarks>
internal sealed class SocketStream(ConnectionSocket socket, bool isAtRest = false) : WaitingStream
{
    // From the beginning: of a socket that has said its end there can be none. Behind a relay only for who has to wait.
    private NetworkStream? _network = isAtRest ? null : new(socket.Socket, ownsSocket: false);

    private NetworkStream Network => _network ??= new NetworkStream(socket.Socket, ownsSocket: false);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Network.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Nearly always the kernel takes it all, and what waiting needs is not made.
        var sent = socket.SendAtOnce(buffer.Span);
        return sent == buffer.Length ? ValueTask.CompletedTask : Network.WriteAsync(buffer[sent..], cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _network?.Dispose();
        base.Dispose(disposing);
    }
}
