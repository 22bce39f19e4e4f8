using System.Buffers;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>Undoes what <see cref="DotStuffing"/> does, and finds the end of a message: CRLF dot CRLF and nothing that only looks like it
/// (limits L1). A bare CR or LF is noted and passed on; it never ends a line.</summary>
internal struct DotDecoder
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private State _state;

    private enum State : byte
    {
        // First, because DATA's own CRLF is before the message.
        LineStart,
        Text,
        AfterCr,
        AfterDot,
        AfterDotCr,
    }

    /// <summary>Whether a CR without LF or an LF without CR has been seen.</summary>
    public bool HasBareLineEnd { get; private set; }

    /// <summary>Whether the end has been seen.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Decodes until the end of the message or of the input.</summary>
    /// <param name="input">The bytes that come next.</param>
    /// <param name="output">At least one byte longer than <paramref name="input"/>.</param>
    /// <param name="written">How many bytes of <paramref name="output"/> are message now.</param>
    /// <returns>How many bytes of <paramref name="input"/> belong to the message or to its end.</returns>
    public int Decode(ReadOnlySpan<byte> input, Span<byte> output, out int written)
    {
        written = 0;
        var i = 0;
        while (i < input.Length && !IsEnded)
        {
            if (_state == State.Text)
            {
                var plain = input[i..].IndexOfAny(LineEnds);
                if (plain < 0) plain = input.Length - i;
                input.Slice(i, plain).CopyTo(output[written..]);
                i += plain;
                written += plain;
                if (i == input.Length) break;
            }
            Step(input[i++], output, ref written);
        }
        return i;
    }

    private void Step(byte value, Span<byte> output, ref int written)
    {
        switch (_state)
        {
            case State.LineStart when value == '.':
                _state = State.AfterDot;
                return;

            case State.AfterDot when value == '\r':
                _state = State.AfterDotCr;
                return;

            case State.AfterDotCr when value == '\n':
                IsEnded = true;
                return;

            case State.AfterCr when value == '\n':
                _state = State.LineStart;
                output[written++] = value;
                return;

            case State.AfterDotCr:
                // The CR was withheld, since it could have been the end's.
                output[written++] = (byte)'\r';
                HasBareLineEnd = true;
                break;

            case State.AfterCr:
                HasBareLineEnd = true;
                break;
        }
        HasBareLineEnd |= value == '\n';
        _state = value == '\r' ? State.AfterCr : State.Text;
        output[written++] = value;
    }
}
