using System.Buffers;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Reads a stream as lines, which end with LF or CRLF. A line longer than the buffer comes in pieces.</summary>
internal sealed class LineReader(Stream stream) : IDisposable
{
    // The first piece of a line has to hold a boundary and a field name; more saves calls.
    private const int BufferBytes = 64 * 1024;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _length;
    private int _searched;
    private int _filled;
    private bool _atEnd;
    private bool _endedWithCr;

    /// <summary>The line, or the piece of it, with its line end.</summary>
    public ReadOnlySpan<byte> Piece => _buffer.AsSpan(_start, _length);

    /// <summary>Where the piece begins, in bytes; behind the last one, the size of the stream.</summary>
    public long Position { get; private set; }

    /// <summary>How many line ends lie before <see cref="Position"/>.</summary>
    public long LinesBefore { get; private set; }

    public bool BeginsLine { get; private set; } = true;

    public bool EndsLine { get; private set; }

    /// <summary>The bytes of the line end right before the piece: 2 for CRLF, 1 for LF, 0 at the start of the stream or inside a line.</summary>
    public int PrecedingLineEnd { get; private set; }

    /// <summary>The bytes of the piece's own line end. The CR of a CRLF may have come at the end of the piece before.</summary>
    public int LineEnd => !EndsLine ? 0 : HasCr ? 2 : 1;

    private bool HasCr => _length >= 2 ? _buffer[_start + _length - 2] == '\r' : !BeginsLine && _endedWithCr;

    /// <summary>Goes to the next piece.</summary>
    /// <returns><c>false</c> at the end.</returns>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public bool MoveNext()
    {
        Leave();
        while (true)
        {
            var newline = _buffer.AsSpan(_searched, _filled - _searched).IndexOf((byte)'\n');
            if (newline >= 0) return Take(_searched + newline + 1 - _start, endsLine: true);
            _searched = _filled;
            if (_atEnd) return _filled > _start && Take(_filled - _start, endsLine: false);
            if (_filled - _start == _buffer.Length) return Take(_filled - _start, endsLine: false);
            Fill();
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Leave()
    {
        if (_length == 0) return;
        PrecedingLineEnd = LineEnd;
        if (EndsLine) LinesBefore++;
        _endedWithCr = _buffer[_start + _length - 1] == '\r';
        BeginsLine = EndsLine;
        EndsLine = false;
        Position += _length;
        _start += _length;
        _length = 0;
        _searched = _start;
    }

    private bool Take(int length, bool endsLine)
    {
        _length = length;
        EndsLine = endsLine;
        return true;
    }

    private void Fill()
    {
        if (_filled == _buffer.Length)
        {
            _buffer.AsSpan(_start, _filled - _start).CopyTo(_buffer);
            _filled -= _start;
            _searched -= _start;
            _start = 0;
        }
        var read = stream.Read(_buffer, _filled, _buffer.Length - _filled);
        _filled += read;
        _atEnd = read == 0;
    }
}
