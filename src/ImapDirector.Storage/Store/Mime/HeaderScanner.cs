using System.Buffers;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Puts the fields of a header together from its lines. One scanner reads all headers of a message, one after the other.</summary>
internal sealed class HeaderScanner
{
    private readonly ArrayBufferWriter<byte> _value = new();
    private long _bytesLeft = MimeLimits.MaxHeaderBytes;
    private int _keptLeft = MimeLimits.MaxFieldsBytes;
    private MimePart _part = null!;
    private HeaderField _field;
    private int _valueStart;
    private bool _hasLine;
    private bool _onFirstLine;

    public void Begin(MimePart part)
    {
        _part = part;
        _field = HeaderField.None;
        _hasLine = false;
    }

    /// <summary>Takes the next line of the header, or a piece of it.</summary>
    /// <returns><c>false</c> when it is the empty line at the header's end.</returns>
    public bool Take(LineReader line)
    {
        var piece = line.Piece;
        if (line.BeginsLine)
        {
            if (line.LineEnd == piece.Length) return false;
            // A folded line goes with its field; folded or not, the very first one begins a field.
            if (_hasLine && piece[0] is (byte)' ' or (byte)'\t') Append("\n"u8);
            else piece = BeginField(piece);
        }
        _hasLine = true;
        _bytesLeft -= line.Piece.Length;
        if (_field == HeaderField.None) return true;

        if (line.EndsLine)
        {
            if (piece.Length >= line.LineEnd) Append(piece[..^line.LineEnd]);
            // The CR came at the end of the piece before.
            else if (_value.WrittenCount > 0) DropLastByte();
            EndLine();
        }
        else Append(piece);
        return true;
    }

    /// <summary>The header is over: at its empty line, at a boundary or at the end of the message.</summary>
    public void End()
    {
        EndLine();
        EndField();
    }

    private ReadOnlySpan<byte> BeginField(ReadOnlySpan<byte> line)
    {
        EndField();
        var name = line[..Math.Min(line.Length, MimeLimits.MaxFieldNameBytes + 1)];
        var colon = name.IndexOf((byte)':');
        if (colon < 0 || _bytesLeft <= 0) return line;
        _field = HeaderFields.Find(name[..colon].TrimEnd(" \t"u8));
        _onFirstLine = true;
        return line[(colon + 1)..];
    }

    private void EndLine()
    {
        if (_field == HeaderField.None || !_onFirstLine) return;
        _onFirstLine = false;
        // The space between the colon and the value is no part of it. Where there is nothing else, only one is taken away: so does Dovecot.
        var value = _value.WrittenSpan;
        var text = value.IndexOfAnyExcept(" \t"u8);
        _valueStart = text >= 0 ? text : Math.Min(1, value.Length);
    }

    private void EndField()
    {
        if (_field != HeaderField.None) _part.Take(_field, _value.WrittenSpan[_valueStart..]);
        _field = HeaderField.None;
        _value.ResetWrittenCount();
        _valueStart = 0;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_field == HeaderField.None || _bytesLeft <= 0) return;
        bytes = bytes[..Math.Min(bytes.Length, Math.Min(_keptLeft, MimeLimits.MaxFieldBytes - _value.WrittenCount))];
        _keptLeft -= bytes.Length;
        _value.Write(bytes);
    }

    private void DropLastByte()
    {
        var kept = _value.WrittenCount - 1;
        // ArrayBufferWriter cannot step back, but its bytes stay where they are.
        _value.ResetWrittenCount();
        _value.Advance(kept);
    }
}
