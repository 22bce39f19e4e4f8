using System.Buffers;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>How a piece of syntax was left.</summary>
internal enum Progress
{
    /// <summary>It is not what was asked for; the cursor stays where that was seen.</summary>
    Broken,
    /// <summary>It was there, and the value ends behind it.</summary>
    End,
    /// <summary>It was there, and something follows.</summary>
    More,
}

/// <summary>Reads the lexical tokens of a structured field (RFC 5322 section 3.2 with the obsolete forms of section 4, RFC 2045 section 5.1),
/// as leniently as Dovecot does. Every method goes forward only, so that a field costs time linear in its size.</summary>
/// <param name="value">The field's value, with its folds as LF.</param>
/// <param name="comment">Where to keep the comment met last, unescaped; <c>null</c> where nobody asks for it.</param>
internal ref struct HeaderCursor(ReadOnlySpan<byte> value, ArrayBufferWriter<byte>? comment)
{
    // RFC 5322 section 3.2.3, and 8-bit data wherever a letter may be (RFC 6532).
    private static readonly SearchValues<byte> AtomChars = SearchValues.Create(
        [.. "!#$%&'*+-/0123456789=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~"u8, .. EightBit()]);

    private static readonly SearchValues<byte> AtomCharsAndDot = SearchValues.Create(
        [.. "!#$%&'*+-./0123456789=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~"u8, .. EightBit()]);

    // RFC 2045 section 5.1.
    private static readonly SearchValues<byte> TokenChars = SearchValues.Create(
        [.. "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~"u8, .. EightBit()]);

    private readonly ReadOnlySpan<byte> _value = value;

    public int Position { get; set; }

    public readonly bool IsEnd => Position == _value.Length;

    /// <summary>The next byte, or 0 at the end.</summary>
    public readonly byte Current => Position < _value.Length ? _value[Position] : (byte)0;

    private readonly Progress EndOrMore => IsEnd ? Progress.End : Progress.More;

    /// <summary>Goes over a byte if it is the next one.</summary>
    public bool TryTake(byte expected)
    {
        if (IsEnd || _value[Position] != expected) return false;
        Position++;
        return true;
    }

    /// <summary>Goes over white space and comments.</summary>
    public Progress SkipSpace()
    {
        while (!IsEnd)
        {
            if (_value[Position] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') Position++;
            else if (_value[Position] != '(') break;
            else if (!SkipComment()) return Progress.Broken;
        }
        return EndOrMore;
    }

    /// <summary>An atom and the space behind it.</summary>
    public Progress Atom(IBufferWriter<byte> output) => Run(AtomChars, output) > 0 ? SkipSpace() : Progress.Broken;

    /// <summary>A MIME token, which may be empty, and the space behind it.</summary>
    public Progress Token(IBufferWriter<byte> output)
    {
        Run(TokenChars, output);
        return SkipSpace();
    }

    /// <summary>What stands to the next white space or semicolon, whatever it is made of.</summary>
    public Progress Word(IBufferWriter<byte> output)
    {
        var rest = _value[Position..];
        var end = rest.IndexOfAny("; \t\r\n"u8);
        output.Write(end < 0 ? rest : rest[..end]);
        Position = end < 0 ? _value.Length : Position + end;
        return EndOrMore;
    }

    /// <summary>A quoted string, without its quotes and escapes, and the space behind it. Of one that is not closed nothing is sure behind its
    /// last fold or escape, and so much is given.</summary>
    public Progress QuotedString(IBufferWriter<byte> output)
    {
        var start = ++Position;
        while (_value[Position..].IndexOfAny("\"\\\n"u8) is >= 0 and var length)
        {
            Position += length;
            var special = _value[Position];
            if (special == '\\' && Position + 1 == _value.Length) break;
            output.Write(_value[start..Position++]);
            if (special == '"') return SkipSpace();
            start = Position;
            // What is escaped goes with the text behind it, whatever it is.
            if (special == '\\') Position++;
        }
        Position = _value.Length;
        return Progress.Broken;
    }

    /// <summary>Words of a display name; what parts them becomes one space.</summary>
    public Progress Phrase(IBufferWriter<byte> output)
    {
        if (IsEnd) return Progress.End;
        if (Current == '.') return Progress.Broken;
        while (true)
        {
            Progress word;
            if (Current == '"')
            {
                word = QuotedString(output);
            }
            else
            {
                Run(AtomCharsAndDot, output);
                word = SkipSpace();
            }
            if (word != Progress.More) return word;
            if (Current != '"' && !AtomCharsAndDot.Contains(Current)) return Progress.More;
            output.Write(" "u8);
        }
    }

    /// <summary>A local part without quotes, with dots wherever they are.</summary>
    public Progress LocalPart(IBufferWriter<byte> output)
    {
        var progress = Progress.Broken;
        do
        {
            while (TryTake((byte)'.'))
            {
                output.Write("."u8);
                progress = EndOrMore;
                if (IsEnd) return progress;
            }
            if (Current == '@') return progress;
            progress = Atom(output);
        }
        while (progress == Progress.More && Current == '.');
        return progress;
    }

    /// <summary>An at sign and the domain behind it.</summary>
    public Progress Domain(IBufferWriter<byte> output)
    {
        Position++;
        if (SkipSpace() != Progress.More) return Progress.Broken;
        if (Current == '[') return DomainLiteral(output);
        while (true)
        {
            var label = Atom(output);
            if (label != Progress.More || Current != '.') return label;
            Position++;
            output.Write("."u8);
            if (SkipSpace() != Progress.More) return Progress.Broken;
        }
    }

    private Progress DomainLiteral(IBufferWriter<byte> output)
    {
        for (var start = Position; !IsEnd; Position++)
        {
            if (_value[Position] == ']')
            {
                Position++;
                output.Write(_value[start..Position]);
                return SkipSpace();
            }
            if (_value[Position] == '\\' && Position + 1 < _value.Length) Position++;
        }
        return Progress.Broken;
    }

    private int Run(SearchValues<byte> chars, IBufferWriter<byte> output)
    {
        var rest = _value[Position..];
        var length = rest.IndexOfAnyExcept(chars);
        if (length < 0) length = rest.Length;
        output.Write(rest[..length]);
        Position += length;
        return length;
    }

    private bool SkipComment()
    {
        comment?.ResetWrittenCount();
        var start = ++Position;
        // Comments nest, but what counts is how deep, not where.
        for (var depth = 1; !IsEnd; Position++)
        {
            switch (_value[Position])
            {
                case (byte)'(':
                    depth++;
                    break;
                case (byte)')' when --depth == 0:
                    comment?.Write(_value[start..Position]);
                    Position++;
                    return true;
                case (byte)'\n':
                    comment?.Write(_value[start..Position]);
                    start = Position + 1;
                    break;
                case (byte)'\\':
                    comment?.Write(_value[start..Position]);
                    start = ++Position;
                    if (IsEnd) return false;
                    break;
            }
        }
        return false;
    }

    private static IEnumerable<byte> EightBit() => Enumerable.Range(0x80, 0x80).Select(static value => (byte)value);
}
