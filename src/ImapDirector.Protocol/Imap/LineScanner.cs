using System.Buffers;

namespace ImapDirector.Protocol.Imap;

/// <summary>
/// Finds the end of a command line and tells whether a literal follows it, looking at every byte once, however the bytes are cut.
/// </summary>
/// <remarks>A literal is announced at the end of a line, where an argument may begin (after a space or a parenthesis) and outside
/// a quoted string; a quoted string begins where an argument may begin and ends with its line at the latest. A line that ends
/// with a bare LF ends (the parser refuses it), so that the answer comes at once and the next line is a new command.</remarks>
internal struct LineScanner
{
    private static readonly SearchValues<byte> TextMarks = SearchValues.Create("\"{\n"u8);
    private static readonly SearchValues<byte> QuotedMarks = SearchValues.Create("\"\\\n"u8);

    private State _state;
    private byte _last;
    private byte _beforeLast;
    private bool _binary;
    private bool _synchronizing;
    private bool _hasDigits;
    private long _number;

    private enum State : byte
    {
        Text,
        Quoted,
        Escaped,
        Number,
        AfterPlus,
        Closed,
        ClosedThenCr,
    }

    /// <summary>Scans until the line ends or the input does.</summary>
    /// <param name="input">The bytes that come next.</param>
    /// <param name="consumed">How many of them belong to this line.</param>
    /// <param name="literal">The literal announced, with <see cref="LineEvent.Literal"/>; its length is cut to
    /// <see cref="long.MaxValue"/> where the client wrote more.</param>
    public LineEvent Scan(ReadOnlySpan<byte> input, out int consumed, out LiteralHeader literal)
    {
        literal = default;
        consumed = 0;
        while (consumed < input.Length)
        {
            if (_state is State.Text or State.Quoted)
            {
                var marks = _state == State.Text ? TextMarks : QuotedMarks;
                var plain = input[consumed..].IndexOfAny(marks);
                var length = plain < 0 ? input.Length - consumed : plain;
                Remember(input.Slice(consumed, length));
                consumed += length;
                if (plain < 0) return LineEvent.More;
            }

            var value = input[consumed];
            switch (Step(value))
            {
                case Taken.No:
                    _state = State.Text;
                    continue;
                case Taken.EndsLine:
                    consumed++;
                    this = default;
                    return LineEvent.EndOfLine;
                case Taken.EndsHeader:
                    consumed++;
                    literal = new LiteralHeader(_number, _synchronizing, _binary);
                    this = default;
                    return LineEvent.Literal;
                default:
                    consumed++;
                    _beforeLast = _last;
                    _last = value;
                    continue;
            }
        }
        return LineEvent.More;
    }

    private enum Taken
    {
        Yes,
        No,
        EndsLine,
        EndsHeader,
    }

    private Taken Step(byte value)
    {
        switch (_state)
        {
            case State.Text:
                if (value == '\n') return Taken.EndsLine;
                if (value == '"' && OpensArgument(_last)) _state = State.Quoted;
                else if (value == '{') BeginHeader();
                return Taken.Yes;

            case State.Quoted:
                if (value == '\n') return Taken.EndsLine;
                _state = value == '"' ? State.Text : State.Escaped;
                return Taken.Yes;

            case State.Escaped:
                if (value == '\n') return Taken.EndsLine;
                _state = State.Quoted;
                return Taken.Yes;

            case State.Number:
                if (char.IsAsciiDigit((char)value))
                {
                    AddDigit(value - '0');
                    return Taken.Yes;
                }
                if (!_hasDigits) return Taken.No;
                if (value == '+') _synchronizing = false;
                _state = value == '+' ? State.AfterPlus : State.Closed;
                return value is (byte)'+' or (byte)'}' ? Taken.Yes : Taken.No;

            case State.AfterPlus:
                _state = State.Closed;
                return value == '}' ? Taken.Yes : Taken.No;

            case State.Closed:
                _state = State.ClosedThenCr;
                if (value == '\r') return Taken.Yes;
                if (value != '\n') return Taken.No;
                // The bytes of a non-synchronizing literal are on their way, whatever its line ended with.
                return _synchronizing ? Taken.EndsLine : Taken.EndsHeader;

            default:
                return value == '\n' ? Taken.EndsHeader : Taken.No;
        }
    }

    private void BeginHeader()
    {
        _binary = _last == '~' && OpensArgument(_beforeLast);
        if (!_binary && !OpensArgument(_last)) return;
        _state = State.Number;
        _synchronizing = true;
        _hasDigits = false;
        _number = 0;
    }

    private void AddDigit(int digit)
    {
        _hasDigits = true;
        _number = _number > (long.MaxValue - digit) / 10 ? long.MaxValue : _number * 10 + digit;
    }

    private void Remember(ReadOnlySpan<byte> passed)
    {
        if (passed.Length >= 2) _beforeLast = passed[^2];
        else if (passed.Length == 1) _beforeLast = _last;
        if (passed.Length >= 1) _last = passed[^1];
    }

    private static bool OpensArgument(byte before) => before is (byte)' ' or (byte)'(';
}

/// <summary>What a <see cref="LineScanner"/> came to.</summary>
internal enum LineEvent
{
    /// <summary>The end of the input, inside the line.</summary>
    More,
    /// <summary>The end of the line.</summary>
    EndOfLine,
    /// <summary>The end of a line that announces a literal.</summary>
    Literal,
}
