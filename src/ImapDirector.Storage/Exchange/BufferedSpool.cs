using ImapDirector.Network;

namespace ImapDirector.Storage.Exchange;

/// <summary>Gathers lines, so that a spool which is a file is not written to line by line.</summary>
internal sealed class BufferedSpool(MessageSpool spool)
{
    public static readonly ReadOnlyMemory<byte> CrLf = "\r\n"u8.ToArray();
    public static readonly ReadOnlyMemory<byte> Lf = "\n"u8.ToArray();

    private readonly byte[] _buffer = new byte[LinePieces.MaxPieceBytes];
    private int _held;

    /// <summary>All bytes written, those held back included.</summary>
    public long Length => spool.Length + _held;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > _buffer.Length - _held) await FlushAsync(cancellationToken);
        bytes.CopyTo(_buffer.AsMemory(_held));
        _held += bytes.Length;
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await spool.WriteAsync(_buffer.AsMemory(0, _held), cancellationToken);
        _held = 0;
    }
}
