using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace ImapDirector.Protocol.Imap;

/// <summary>
/// A cursor over one framed command that takes the tokens of RFC 3501 section 9. Every method either takes what it names and answers
/// <c>true</c>, or notes why not, once, and answers <c>false</c>; nothing it does throws or costs more than the bytes it passes.
/// </summary>
/// <param name="frame">The command with its literals in place and its last CRLF.</param>
/// <param name="options">How names are read and how deep lists go.</param>
internal ref struct ImapLexer(ReadOnlySpan<byte> frame, ParseOptions options)
{
    /// <summary>No caller's setting lets recursion go deeper than this: a stack overflow cannot be caught (limits N3).</summary>
    private const int DepthBound = 256;

    private readonly ReadOnlySpan<byte> _frame = frame;
    private readonly int _maxDepth = Math.Min(options.MaxDepth, DepthBound);
    private int _at;
    private int _depth;

    /// <summary>Whether mailbox names are UTF-8.</summary>
    public readonly bool Utf8Names => options.Utf8Names;

    /// <summary>Why a method answered <c>false</c>.</summary>
    public ParseErrorKind ErrorKind { get; private set; }

    /// <summary>Why a method answered <c>false</c>, in words; <c>null</c> while none has.</summary>
    public string? ErrorReason { get; private set; }

    /// <summary>Notes the first error.</summary>
    /// <returns>Always <c>false</c>.</returns>
    public bool Fail(string reason, ParseErrorKind kind = ParseErrorKind.Syntax)
    {
        if (ErrorReason is not null) return false;
        ErrorReason = reason;
        ErrorKind = kind;
        return false;
    }

    /// <summary>The next byte, or 0 at the end (a 0 in the frame is no token of any kind, so the two need no telling apart).</summary>
    public readonly byte Peek => _at < _frame.Length ? _frame[_at] : (byte)0;

    /// <summary>Takes <paramref name="value"/> where it comes next; no error where it does not.</summary>
    public bool TryTake(char value)
    {
        if (Peek != value) return false;
        _at++;
        return true;
    }

    /// <summary>Takes <paramref name="value"/>.</summary>
    public bool Take(char value) => TryTake(value) || Fail(value == ' ' ? "An argument is missing" : "Unexpected character in an argument");

    /// <summary>Takes the one space between two arguments.</summary>
    public bool Space() => Take(' ');

    /// <summary>Takes <paramref name="word"/> in any case where it comes next and no longer word does; no error where it does not.</summary>
    public bool TryWord(ReadOnlySpan<byte> word)
    {
        var start = _at;
        if (!TryLetters(word)) return false;
        if (!IsWordChar(Peek)) return true;
        _at = start;
        return false;
    }

    /// <summary>Takes <paramref name="letters"/> in any case, whatever follows them; no error where something else comes next.</summary>
    public bool TryLetters(ReadOnlySpan<byte> letters)
    {
        var rest = _frame[_at..];
        if (rest.Length < letters.Length || !Ascii.EqualsIgnoreCase(rest[..letters.Length], letters)) return false;
        _at += letters.Length;
        return true;
    }

    /// <summary>Takes the space in front of another argument where there is one; no error where there is none.</summary>
    public bool TryNext()
    {
        if (Peek != ' ' || (_at + 1 < _frame.Length && _frame[_at + 1] is (byte)' ' or (byte)'\r')) return false;
        _at++;
        return true;
    }

    /// <summary>Takes the end of the command. Spaces in front of it are let pass: harmless, and Dovecot lets them pass too.</summary>
    public bool End()
    {
        while (TryTake(' ')) { }
        return _frame[_at..].SequenceEqual("\r\n"u8) || Fail(Peek is (byte)'\r' or (byte)'\n' ? "The line does not end with CRLF" : "Too many arguments");
    }

    /// <summary>Goes one level of nesting deeper.</summary>
    public bool Deeper() => ++_depth <= _maxDepth || Fail("Nested too deep");

    /// <summary>Comes back from <see cref="Deeper"/>.</summary>
    public void Shallower() => _depth--;

    /// <summary>Takes <c>(</c>, one level deeper.</summary>
    public bool Open() => Take('(') && Deeper();

    /// <summary>Takes <c>)</c>, and is back up.</summary>
    public bool Close()
    {
        Shallower();
        return TryTake(')') || Fail("A closing parenthesis is missing");
    }

    /// <summary>Takes a tag.</summary>
    public bool Tag(out string? tag)
    {
        tag = Grammar.TagOf(_frame);
        if (tag is null) return Fail("The tag is missing or not valid");
        _at = tag.Length;
        return true;
    }

    /// <summary>Takes an atom.</summary>
    public bool Atom(out ReadOnlySpan<byte> atom)
    {
        atom = Run(Grammar.AtomChars);
        return !atom.IsEmpty || Fail("An atom is missing or has a character that is not allowed");
    }

    /// <summary>Takes the letters, digits and dots of a name of the grammar (an option, an item); may be empty.</summary>
    public ReadOnlySpan<byte> Word()
    {
        var start = _at;
        while (IsWordChar(Peek)) _at++;
        return _frame[start.._at];
    }

    /// <summary>Takes an astring: its bytes, unquoted.</summary>
    public bool AString(out ReadOnlySpan<byte> value)
    {
        if (Peek is (byte)'"' or (byte)'{') return String(out value);
        value = Run(Grammar.AStringChars);
        return !value.IsEmpty || Fail("A string is missing or has a character that is not allowed");
    }

    /// <summary>Takes a list-mailbox: a string, or list-chars.</summary>
    public bool ListMailbox(out ReadOnlySpan<byte> value)
    {
        if (Peek is (byte)'"' or (byte)'{') return String(out value);
        value = Run(Grammar.ListChars);
        return !value.IsEmpty || Fail("A pattern is missing or has a character that is not allowed");
    }

    /// <summary>Takes a string: quoted or literal.</summary>
    public bool String(out ReadOnlySpan<byte> value)
    {
        if (TryTake('"')) return Quoted(out value);
        if (Peek is (byte)'{' or (byte)'~') return Literal(out value);
        value = default;
        return Fail("A string is missing");
    }

    /// <summary>Takes a literal's header and CRLF, without its bytes.</summary>
    public bool LiteralHeader(out LiteralHeader header)
    {
        header = default;
        var binary = TryTake('~');
        if (!Take('{') || !Digits(out var length)) return false;
        var synchronizing = !TryTake('+');
        if (!Take('}') || !Take('\r') || !Take('\n')) return false;
        header = new LiteralHeader(length, synchronizing, binary);
        return true;
    }

    /// <summary>Whether the frame ends here.</summary>
    public readonly bool AtFrameEnd => _at == _frame.Length;

    /// <summary>Whether the command ends here: with its line, or with the frame of the rest of a line.</summary>
    public readonly bool AtCommandEnd => AtFrameEnd || _frame[_at..].SequenceEqual("\r\n"u8);

    /// <summary>Takes a number from 0 to 2^32-1.</summary>
    public bool Number(out uint value)
    {
        value = 0;
        if (!Digits(out var number)) return false;
        if (number > uint.MaxValue) return Fail("A number is too large");
        value = (uint)number;
        return true;
    }

    /// <summary>Takes a mod-sequence, from 0 to 2^63-1 (RFC 7162 section 7).</summary>
    public bool ModSeq(out ulong value)
    {
        var taken = Digits(out var number);
        value = (ulong)number;
        return taken;
    }

    /// <summary>Takes an nz-number, from 1 to 2^32-1.</summary>
    public bool NonZero(out uint value)
    {
        value = 0;
        if (Peek == '0') return Fail("A number is zero");
        return Number(out value);
    }

    /// <summary>Takes a sequence-set.</summary>
    public bool SequenceSet(out SequenceSet set)
    {
        set = Imap.SequenceSet.SavedResult;
        if (TryTake('$')) return true;
        var text = _frame[_at..];
        var length = text.IndexOfAnyExcept(Grammar.SequenceChars);
        var count = (length < 0 ? text : text[..length]).Count((byte)',') + 1;
        if (count > Imap.SequenceSet.MaxRanges) return Fail("The set has too many ranges", ParseErrorKind.Refused);
        var ranges = new SequenceRange[count];
        for (var i = 0; i < count; i++)
        {
            if (i > 0 && !Take(',')) return false;
            if (!SequenceNumber(out var first)) return false;
            var last = first;
            if (TryTake(':') && !SequenceNumber(out last)) return false;
            ranges[i] = new SequenceRange(first, last);
        }
        set = new SequenceSet(ImmutableCollectionsMarshal.AsImmutableArray(ranges));
        return true;
    }

    /// <summary>Takes a mailbox name; <paramref name="cutDelimiter"/> lets it end with one delimiter, which is cut off.</summary>
    public bool Mailbox(out MailboxName name, bool cutDelimiter = false)
    {
        name = default;
        if (!AString(out var wire)) return false;
        if (cutDelimiter && wire.Length > 1 && wire[^1] == MailboxName.Delimiter) wire = wire[..^1];
        return MailboxName.TryDecode(wire, Utf8Names, out name) || Fail("The mailbox name is not valid", ParseErrorKind.Refused);
    }

    private bool SequenceNumber(out uint value)
    {
        value = Imap.SequenceSet.Star;
        return TryTake('*') || NonZero(out value);
    }

    private bool Digits(out long value)
    {
        value = 0;
        if (!char.IsAsciiDigit((char)Peek)) return Fail("A number is missing");
        for (; char.IsAsciiDigit((char)Peek); _at++)
        {
            var digit = Peek - '0';
            if (value > (long.MaxValue - digit) / 10) return Fail("A number is too large");
            value = value * 10 + digit;
        }
        return true;
    }

    // Every CHAR but CR and LF, control characters among them, and UTF-8 (RFC 9051 section 9); what is neither, such as Latin-1, has to come in a literal.
    private bool Quoted(out ReadOnlySpan<byte> value)
    {
        value = default;
        var start = _at;
        var escapes = 0;
        for (; ; _at++)
        {
            switch (Peek)
            {
                case 0 or (byte)'\r' or (byte)'\n':
                    return Fail("A quoted string is not closed or has a character that is not allowed");
                case (byte)'\\':
                    _at++;
                    if (Peek is not ((byte)'\\' or (byte)'"')) return Fail("A backslash in a quoted string stands before neither a quote nor a backslash");
                    escapes++;
                    continue;
                case (byte)'"':
                    var text = _frame[start.._at];
                    if (!Utf8.IsValid(text)) return Fail("A quoted string is neither ASCII nor UTF-8");
                    value = Unescape(text, escapes);
                    _at++;
                    return true;
            }
        }
    }

    private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> text, int escapes)
    {
        if (escapes == 0) return text;
        var result = new byte[text.Length - escapes];
        for (int from = 0, to = 0; to < result.Length; from++, to++)
        {
            if (text[from] == '\\') from++;
            result[to] = text[from];
        }
        return result;
    }

    private bool Literal(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!LiteralHeader(out var header)) return false;
        if (header.Length > _frame.Length - _at) return Fail("A literal is cut short");
        value = _frame.Slice(_at, (int)header.Length);
        _at += value.Length;
        return !value.Contains((byte)0) || Fail("A literal has a NUL");
    }

    private ReadOnlySpan<byte> Run(System.Buffers.SearchValues<byte> allowed)
    {
        var rest = _frame[_at..];
        var length = rest.IndexOfAnyExcept(allowed);
        var run = length < 0 ? rest : rest[..length];
        _at += run.Length;
        return run;
    }

    private static bool IsWordChar(byte value) => char.IsAsciiLetterOrDigit((char)value) || value is (byte)'.' or (byte)'-' or (byte)'=' or (byte)'_';
}
