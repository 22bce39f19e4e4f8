using System.Buffers;
using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Storage.Commands;

/// <summary>Finds the lines of a header that HEADER.FIELDS or HEADER.FIELDS.NOT name, reading it once in pieces: a header can be larger than
/// anybody would want in memory, so only the places of the lines are kept.</summary>
internal static class HeaderFieldFilter
{
    private const int PieceBytes = 16 * 1024;

    /// <summary>Longer names (limits N6) are nobody's.</summary>
    private const int MaxNameBytes = 1000;

    /// <param name="content">The message.</param>
    /// <param name="start">Where the header begins.</param>
    /// <param name="end">Behind the header's empty line.</param>
    /// <param name="names">The names the client gave.</param>
    /// <param name="wanted">Whether these fields are meant, or all others.</param>
    public static SectionBytes Select(Stream content, long start, long end, ImmutableArray<string> names, bool wanted)
    {
        var scan = new Scan(start, new HashSet<string>(names, StringComparer.OrdinalIgnoreCase), wanted);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            content.Position = start;
            for (var left = end - start; left > 0 && !scan.IsComplete;)
            {
                var read = content.Read(piece, 0, (int)Math.Min(left, PieceBytes));
                if (read == 0) break;
                scan.Take(piece.AsSpan(0, read));
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
        return SectionBytes.WithEmptyLine(scan.Finish());
    }

    private sealed class Scan(long start, HashSet<string> names, bool wanted)
    {
        private readonly List<ByteRange> _kept = [];
        private readonly byte[] _name = new byte[MaxNameBytes + 1];
        private int _nameLength;
        private bool _inName = true;
        private bool _keeping;
        private bool _hasField;
        private long _position = start;
        private long _lineStart = start;

        /// <summary>Whether the empty line has been seen.</summary>
        public bool IsComplete { get; private set; }

        public void Take(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty && !IsComplete)
            {
                if (!_inName)
                {
                    var newline = bytes.IndexOf((byte)'\n');
                    var count = newline < 0 ? bytes.Length : newline + 1;
                    _position += count;
                    bytes = bytes[count..];
                    if (newline >= 0) EndLine();
                    continue;
                }
                var value = bytes[0];
                bytes = bytes[1..];
                _position++;
                TakeNameByte(value);
            }
        }

        public List<ByteRange> Finish()
        {
            // A header without an empty line may end in the middle of a line.
            if (!IsComplete && _position > _lineStart)
            {
                if (_inName) BeginField();
                Keep();
            }
            return _kept;
        }

        private void TakeNameByte(byte value)
        {
            var atLineStart = _position - 1 == _lineStart;
            switch (value)
            {
                case (byte)' ' or (byte)'\t' when atLineStart && _hasField:
                    // A folded line goes with its field.
                    _inName = false;
                    break;
                case (byte)':':
                    BeginField();
                    break;
                case (byte)'\n' when IsBlank():
                    IsComplete = true;
                    break;
                case (byte)'\n':
                    BeginField();
                    EndLine();
                    break;
                default:
                    if (_nameLength < _name.Length) _name[_nameLength++] = value;
                    break;
            }
        }

        private bool IsBlank() => _nameLength == 0 || (_nameLength == 1 && _name[0] == '\r');

        private void BeginField()
        {
            var name = _name.AsSpan(0, _nameLength).TrimEnd(" \t\r"u8);
            var isNamed = name.Length <= MaxNameBytes && names.Contains(Encoding.Latin1.GetString(name));
            _keeping = isNamed == wanted;
            _hasField = true;
            _inName = false;
        }

        private void EndLine()
        {
            Keep();
            _lineStart = _position;
            _nameLength = 0;
            _inName = true;
        }

        private void Keep()
        {
            if (!_keeping) return;
            var length = _position - _lineStart;
            if (_kept.Count > 0 && _kept[^1] is var last && last.Start + last.Length == _lineStart)
                _kept[^1] = last with { Length = last.Length + length };
            else _kept.Add(new ByteRange(_lineStart, length));
        }
    }
}
