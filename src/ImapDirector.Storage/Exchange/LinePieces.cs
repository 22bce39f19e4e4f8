namespace ImapDirector.Storage.Exchange;

/// <summary>Reads a stream line by line, with a bounded buffer: a line that is longer comes in pieces. A piece never ends between CR and LF.</summary>
internal sealed class LinePieces(Stream source)
{
    public const int MaxPieceBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[MaxPieceBytes];
    private int _start;
    private int _end;
    private bool _hasEnded;

    /// <summary>The bytes of the piece without its line end; valid until the next <see cref="MoveNext"/>.</summary>
    public ReadOnlyMemory<byte> Text { get; private set; }

    /// <summary>Whether the piece is the beginning of a line.</summary>
    public bool BeginsLine { get; private set; }

    /// <summary>Whether a line end follows the piece.</summary>
    public bool EndsLine { get; private set; }

    /// <summary>Whether that line end is CRLF, rather than a bare LF.</summary>
    public bool EndsInCrLf { get; private set; }

    /// <summary>Whether the piece is a whole line of nothing.</summary>
    public bool IsEmptyLine => BeginsLine && EndsLine && Text.IsEmpty;

    /// <returns><c>false</c> at the end.</returns>
    /// <exception cref="UnreadableSourceException">The stream cannot be read.</exception>
    public bool MoveNext()
    {
        var beginsLine = EndsLine || _end == 0;
        while (true)
        {
            var held = _buffer.AsSpan(_start.._end);
            var lineFeed = held.IndexOf((byte)'\n');
            if (lineFeed < 0 && !_hasEnded && held.Length < MaxPieceBytes)
            {
                Fill();
                continue;
            }
            if (held.IsEmpty) return false;
            var length = lineFeed >= 0 ? lineFeed : held.Length;
            EndsLine = lineFeed >= 0;
            EndsInCrLf = lineFeed > 0 && held[lineFeed - 1] == '\r';
            // At the edge of a full buffer the LF may be the next byte.
            var holdsBack = !EndsLine && !_hasEnded && held[^1] == '\r';
            var text = length - (EndsInCrLf || holdsBack ? 1 : 0);
            Text = _buffer.AsMemory(_start, text);
            BeginsLine = beginsLine;
            _start += EndsLine ? lineFeed + 1 : text;
            return true;
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        try
        {
            var read = source.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            _hasEnded = read == 0;
        }
        catch (IOException broken)
        {
            throw new UnreadableSourceException(broken);
        }
    }
}

/// <summary>What is read cannot be read further; what is written is not at fault.</summary>
internal sealed class UnreadableSourceException(IOException broken) : Exception("The source cannot be read.", broken);
