using System.Buffers;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Takes structured fields apart (RFC 2045 section 5.1, RFC 5322 section 3.2). Total: whatever it is given, it ends.</summary>
internal ref struct MimeLexer(ReadOnlySpan<byte> value)
{
    private static readonly SearchValues<byte> EndsToken = SearchValues.Create("\0\t\n\r ()<>@,;:\\\"/[]?="u8);
    private static readonly SearchValues<byte> EndsAtom = SearchValues.Create("\0\t\n\r ()<>@,;:\\\".[]"u8);
    private static readonly SearchValues<byte> EndsPlainValue = SearchValues.Create("\t\n\r ;(\""u8);

    private ReadOnlySpan<byte> _rest = value;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public readonly byte Peek => _rest.IsEmpty ? (byte)0 : _rest[0];

    /// <summary>The comment that was skipped last, without its parentheses; empty when there was none.</summary>
    public ReadOnlySpan<byte> LastComment { get; private set; }

    /// <summary>Skips white space and comments.</summary>
    /// <returns>Whether there were any.</returns>
    public bool SkipSpace()
    {
        var before = _rest.Length;
        while (true)
        {
            _rest = _rest.TrimStart(" \t\r\n"u8);
            if (Peek != '(') return _rest.Length < before;
            SkipComment();
        }
    }

    public void ForgetComment() => LastComment = [];

    public void SkipOne() => _rest = _rest[1..];

    /// <summary>A token and the white space around it.</summary>
    public bool TryToken(out ReadOnlySpan<byte> token) => TryRun(EndsToken, out token);

    /// <summary>An atom and the white space around it. What is not ASCII is let pass.</summary>
    public bool TryAtom(out ReadOnlySpan<byte> atom) => TryRun(EndsAtom, out atom);

    /// <summary>An atom that begins here, without what follows it.</summary>
    public bool TryAtomAlone(out ReadOnlySpan<byte> atom)
    {
        var length = _rest.IndexOfAny(EndsAtom);
        if (length < 0) length = _rest.Length;
        atom = _rest[..length];
        _rest = _rest[length..];
        return length > 0;
    }

    /// <summary>The character and the white space around it.</summary>
    public bool TrySkip(byte character)
    {
        SkipSpace();
        if (Peek != character || IsAtEnd) return false;
        SkipOne();
        SkipSpace();
        return true;
    }

    /// <summary>Everything up to the character, and it.</summary>
    public bool SkipBehind(byte character)
    {
        while (!IsAtEnd)
        {
            SkipSpace();
            if (IsAtEnd) return false;
            var next = Peek;
            if (next == '"') _ = QuotedString();
            else SkipOne();
            if (next == character) return true;
        }
        return false;
    }

    /// <summary>A quoted string or what looks like a token; of an unquoted value everything that can belong to it is taken.</summary>
    public bool TryParameterValue(out byte[] value)
    {
        SkipSpace();
        if (Peek == '"')
        {
            value = QuotedString();
            return true;
        }
        var length = _rest.IndexOfAny(EndsPlainValue);
        if (length < 0) length = _rest.Length;
        value = _rest[..length].ToArray();
        _rest = _rest[length..];
        return length > 0;
    }

    /// <summary>A quoted string, which must be next, without its quotes and backslashes. One without an end goes to the end.</summary>
    public byte[] QuotedString() => Delimited((byte)'"');

    /// <summary>A domain literal, which must be next, with its brackets.</summary>
    public byte[] DomainLiteral() => [(byte)'[', .. Delimited((byte)']'), (byte)']'];

    private byte[] Delimited(byte end)
    {
        SkipOne();
        var text = new ArrayBufferWriter<byte>(Math.Min(_rest.Length + 1, 256));
        while (!IsAtEnd)
        {
            var next = Peek;
            SkipOne();
            if (next == end) break;
            if (next == '\\' && !IsAtEnd)
            {
                next = Peek;
                SkipOne();
            }
            text.GetSpan(1)[0] = next;
            text.Advance(1);
        }
        return text.WrittenSpan.ToArray();
    }

    private bool TryRun(SearchValues<byte> ends, out ReadOnlySpan<byte> run)
    {
        SkipSpace();
        var length = _rest.IndexOfAny(ends);
        if (length < 0) length = _rest.Length;
        run = _rest[..length];
        _rest = _rest[length..];
        SkipSpace();
        return length > 0;
    }

    // Comments nest; their depth is counted, not recursed into.
    private void SkipComment()
    {
        var depth = 0;
        for (var i = 0; i < _rest.Length; i++)
        {
            switch (_rest[i])
            {
                case (byte)'(':
                    depth++;
                    break;
                case (byte)'\\':
                    i++;
                    break;
                case (byte)')' when --depth == 0:
                    LastComment = _rest[1..i];
                    _rest = _rest[(i + 1)..];
                    return;
            }
        }
        LastComment = _rest[1..];
        _rest = [];
    }
}
