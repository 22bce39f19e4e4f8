using System.Text;

namespace ImapDirector.Director.Relay;

/// <summary>Follows a server's byte stream just closely enough to know whether a line of ours could be put in here: at the end of a line,
/// and not inside a literal (RFC 3501 section 4.3). Only the last bytes of each line are looked at, literals are skipped.</summary>
internal struct ResponseBoundary
{
    // "{", one digit too many, "}" CR LF: what stands before the tail of a line can be no part of an announcement.
    private const int TailLength = 23;
    private const int MaxDigits = 18;

    private static ReadOnlySpan<byte> Bye => "* BYE"u8;

    private long _literalLeft;
    private long _announced;
    private int _digits;
    private State _state;
    private bool _hasSaidBye;
    private bool _isTagged;

    private enum State : byte
    {
        EndOfLine,
        Text,
        Open,
        Closed,
        ClosedCr,
    }

    /// <summary>Whether the bytes so far end with a whole response.</summary>
    public readonly bool IsAtEndOfResponse => _literalLeft == 0 && _state == State.EndOfLine;

    /// <summary>Whether the last response is a tagged one behind <c>* BYE</c>, as the answer to LOGOUT is (RFC 9051 section 6.1.3). A <c>* BYE</c> that comes in
    /// pieces may be missed.</summary>
    public readonly bool IsAnsweredLogout => IsAtEndOfResponse && _hasSaidBye && _isTagged;

    /// <summary>Bytes of a literal that are still to come.</summary>
    public readonly long LiteralLeft => _literalLeft;

    /// <summary>Takes note of bytes of the literal that nobody has seen; no more than <see cref="LiteralLeft"/>.</summary>
    public void SkipLiteral(int count)
    {
        _literalLeft -= count;
        // Behind a literal the line goes on.
        _state = State.Text;
    }

    /// <summary>Takes note of the next bytes.</summary>
    public void Advance(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_literalLeft > 0)
            {
                var skipped = (int)Math.Min(_literalLeft, bytes.Length);
                SkipLiteral(skipped);
                bytes = bytes[skipped..];
                continue;
            }
            var newline = bytes.IndexOf((byte)'\n');
            var part = newline < 0 ? bytes : bytes[..(newline + 1)];
            bytes = bytes[part.Length..];
            if (_state == State.EndOfLine) Begin(part);
            if (part.Length > TailLength)
            {
                _state = State.Text;
                part = part[^TailLength..];
            }
            foreach (var value in part) Step(value);
        }
    }

    private void Begin(ReadOnlySpan<byte> line)
    {
        _isTagged = line[0] is not ((byte)'*' or (byte)'+');
        _hasSaidBye |= line.Length >= Bye.Length && Ascii.EqualsIgnoreCase(line[..Bye.Length], Bye);
    }

    private void Step(byte value)
    {
        if (value == '\n')
        {
            var isLiteral = _state == State.ClosedCr;
            if (isLiteral) _literalLeft = _announced;
            // An empty literal is over at once, and the line goes on as behind any other.
            _state = isLiteral ? State.Text : State.EndOfLine;
            return;
        }
        switch (_state)
        {
            case State.Open when char.IsAsciiDigit((char)value) && _digits < MaxDigits:
                _announced = _announced * 10 + (value - '0');
                _digits++;
                return;
            case State.Open when value == '}' && _digits > 0:
                _state = State.Closed;
                return;
            case State.Closed when value == '\r':
                _state = State.ClosedCr;
                return;
        }
        _state = value == '{' ? State.Open : State.Text;
        _announced = _digits = 0;
    }
}
