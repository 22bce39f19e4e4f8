using System.IO.Compression;

namespace ImapDirector.Network;

/// <summary>Both directions of a stream in DEFLATE (RFC 1951): a flush ends on a byte boundary, so that the peer can read all that was written.</summary>
internal sealed class DeflatedStream(Stream transport) : Stream
{
    private readonly DeflateStream _reading = new(transport, CompressionMode.Decompress, leaveOpen: true);
    private readonly DeflateStream _writing = new(transport, CompressionLevel.Fastest, leaveOpen: true);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => _reading.Read(buffer, offset, count);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _reading.ReadAsync(buffer, cancellationToken);
        }
        catch (InvalidDataException broken)
        {
            throw new IOException("The peer's compressed data is damaged.", broken);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => _writing.Write(buffer, offset, count);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _writing.WriteAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _writing.WriteAsync(buffer, cancellationToken);

    public override void Flush() => _writing.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _writing.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _reading.Dispose();
            try
            {
                // Ends the stream with a last block, which nobody may be there to take.
                _writing.Dispose();
            }
            catch (Exception gone) when (gone is IOException or ObjectDisposedException)
            {
                // Its memory is free all the same.
            }
        }
        base.Dispose(disposing);
    }
}
