using System.IO.Compression;

namespace ImapDirector.Network;

/// <summary>Both directions of a stream in DEFLATE (RFC 1951): a flush ends on a byte boundary, so that the peer can read all that was written.
/// What the peer sends may become a hundred times longer, and not more (limits N14).</summary>
internal sealed class DeflatedStream : Stream
{
    /// <summary>Bytes that a byte of the peer's may become.</summary>
    public const int MaxRatio = 100;

    /// <summary>Bytes that come out before the ratio counts, since a short text of one letter is no attack.</summary>
    public const int FreeBytes = 1024 * 1024;

    private readonly CountedStream _packed;
    private readonly DeflateStream _reading;
    private readonly DeflateStream _writing;
    private long _unpacked;

    public DeflatedStream(Stream transport)
    {
        _packed = new CountedStream(transport);
        _reading = new DeflateStream(_packed, CompressionMode.Decompress, leaveOpen: true);
        _writing = new DeflateStream(transport, CompressionLevel.Fastest, leaveOpen: true);
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Nothing reads from a connection without waiting.");

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var read = await _reading.ReadAsync(buffer, cancellationToken);
            _unpacked += read;
            return _unpacked <= FreeBytes + MaxRatio * _packed.BytesRead ? read : throw new IOException("The peer's compressed data grows too much.");
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

    /// <summary>Counts what is read of a stream.</summary>
    private sealed class CountedStream(Stream inner) : Stream
    {
        public long BytesRead { get; private set; }

        public override bool CanRead => true;

        public override bool CanWrite => false;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            BytesRead += read;
            return read;
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
