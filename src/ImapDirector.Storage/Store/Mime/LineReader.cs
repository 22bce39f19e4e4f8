namespace ImapDirector.Storage.Store.Mime;

/// <summary>Reads a stream line by line with one buffer. A line ends at LF; one that does not fit into the buffer comes in pieces.</summary>
internal sealed class LineReader(Stream stream)
{
    private const int BufferBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private int _pieceLength;
    private bool _isAtEndOfStream;

    /// <summary>The piece, its LF included.</summary>
    public ReadOnlySpan<byte> Piece => _buffer.AsSpan(_start, _pieceLength);

    /// <summary>Where the piece begins, in bytes from the beginning of the stream.</summary>
    public int Position { get; private set; }

    /// <summary>Behind the piece.</summary>
    public int NextPosition => Position + _pieceLength;

    /// <summary>Whether the piece begins a line.</summary>
    public bool StartsLine { get; private set; } = true;

    /// <summary>Whether the piece ends with LF.</summary>
    public bool EndsLine { get; private set; }

    /// <summary>LFs before the piece.</summary>
    public int LinesBefore { get; private set; }

    /// <summary>The length of the CRLF or LF before the piece; 0 at the beginning and in the middle of a line.</summary>
    public int TerminatorBefore { get; private set; }

    /// <summary>Goes on to the next piece.</summary>
    /// <returns><c>false</c> at the end of the stream.</returns>
    public bool Read()
    {
        StepOver();
        while (true)
        {
            var length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n') + 1;
            // The beginning of a line is only handed out with room behind it, so that a boundary is never cut in two.
            if (length == 0 && (_isAtEndOfStream || (_start == 0 && _end == BufferBytes))) length = _end - _start;
            if (length > 0)
            {
                _pieceLength = length;
                EndsLine = _buffer[_start + length - 1] == '\n';
                return true;
            }
            if (_isAtEndOfStream) return false;
            Fill();
        }
    }

    private void StepOver()
    {
        if (_pieceLength > 0)
        {
            TerminatorBefore = !EndsLine ? 0 : _pieceLength > 1 && Piece[^2] == '\r' ? 2 : 1;
            if (EndsLine) LinesBefore++;
            StartsLine = EndsLine;
        }
        Position += _pieceLength;
        _start += _pieceLength;
        _pieceLength = 0;
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        var read = stream.Read(_buffer, _end, BufferBytes - _end);
        if (read == 0) _isAtEndOfStream = true;
        _end += read;
    }
}
