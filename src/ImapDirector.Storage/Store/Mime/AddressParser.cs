using System.Buffers;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>An address as ENVELOPE shows it (RFC 3501 section 7.4.2). A group is an entry with its name as mailbox and no host, its members,
/// and an entry with nothing in it.</summary>
internal readonly record struct EnvelopeAddress(byte[]? Name, byte[]? Route, byte[]? Mailbox, byte[]? Host);

/// <summary>Reads address lists (RFC 5322 section 3.4) as people and programs really write them: what is no address becomes the nearest thing to one.</summary>
internal ref struct AddressParser
{
    /// <summary>Addresses of one field beyond this are left out (limits N7).</summary>
    public const int MaxAddresses = 1000;

    // An entry without a host would be the beginning of a group, so an address that lacks a half gets a word in its place, the same as Dovecot's.
    private static readonly byte[] MissingMailbox = "MISSING_MAILBOX"u8.ToArray();
    private static readonly byte[] MissingDomain = "MISSING_DOMAIN"u8.ToArray();

    private readonly List<EnvelopeAddress> _addresses;
    private MimeLexer _lexer;
    private bool _isInGroup;

    private AddressParser(ReadOnlySpan<byte> value, List<EnvelopeAddress> addresses)
    {
        _lexer = new MimeLexer(value);
        _addresses = addresses;
    }

    /// <summary>Adds the addresses of one field.</summary>
    public static void Parse(ReadOnlySpan<byte> value, List<EnvelopeAddress> addresses)
    {
        var parser = new AddressParser(value, addresses);
        while (addresses.Count < MaxAddresses && parser.ParseNext())
        {
            // Each step takes at least one character.
        }
        if (parser._isInGroup) addresses.Add(default);
    }

    private bool ParseNext()
    {
        _lexer.SkipSpace();
        switch (_lexer.Peek)
        {
            case 0 when _lexer.IsAtEnd:
                return false;
            case (byte)',':
                _lexer.SkipOne();
                return true;
            case (byte)';':
                _lexer.SkipOne();
                EndGroup();
                return true;
        }
        var words = ReadWords();
        switch (_lexer.Peek)
        {
            case (byte)':' when !_isInGroup:
                _lexer.SkipOne();
                _isInGroup = true;
                _addresses.Add(new EnvelopeAddress(null, null, words.Name, null));
                break;
            case (byte)'<':
                ParseAngle(words.Name);
                break;
            case (byte)'@':
                _lexer.SkipOne();
                AddBare(words.LocalPart, Domain());
                break;
            default:
                // One word is most likely a local user, several are a name.
                if (words.Name.Contains((byte)' ')) _addresses.Add(new EnvelopeAddress(words.Name, null, MissingMailbox, MissingDomain));
                else if (words.Name.Length > 0) AddBare(words.LocalPart, MissingDomain);
                else if (!_lexer.IsAtEnd) _lexer.SkipOne();
                break;
        }
        return true;
    }

    private void EndGroup()
    {
        if (_isInGroup) _addresses.Add(default);
        _isInGroup = false;
    }

    /// <summary>Without a name in front, a comment behind the address is the name (RFC 822's way).</summary>
    private void AddBare(byte[] mailbox, byte[] host)
    {
        _lexer.SkipSpace();
        var comment = _lexer.LastComment;
        _addresses.Add(new EnvelopeAddress(comment.IsEmpty ? null : Unescaped(comment), null, mailbox.Length > 0 ? mailbox : MissingMailbox, host.Length > 0 ? host : MissingDomain));
        _lexer.ForgetComment();
    }

    private void ParseAngle(byte[] name)
    {
        _lexer.SkipOne();
        _lexer.SkipSpace();
        var (route, domain) = _lexer.Peek == '@' ? ReadRoute() : (null, []);
        var mailbox = ReadWords().LocalPart;
        var host = _lexer.TrySkip((byte)'@') ? Domain() : domain;
        while (!_lexer.IsAtEnd && _lexer.Peek is not ((byte)'>' or (byte)',')) _lexer.SkipOne();
        if (_lexer.Peek == '>') _lexer.SkipOne();
        _lexer.ForgetComment();
        _addresses.Add(new EnvelopeAddress(name.Length > 0 ? name : null, route, mailbox.Length > 0 ? mailbox : MissingMailbox, host.Length > 0 ? host : MissingDomain));
    }

    /// <summary>Words, quoted strings and dots: a name or a local part.</summary>
    private Words ReadWords()
    {
        var (name, localPart) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        var (isFirst, isBehindDot) = (true, false);
        while (true)
        {
            var hasSpace = _lexer.SkipSpace();
            if (_lexer.IsAtEnd) break;
            ReadOnlySpan<byte> word;
            var isDot = _lexer.Peek == '.';
            if (isDot)
            {
                word = "."u8;
                _lexer.SkipOne();
            }
            else if (_lexer.Peek == '"')
            {
                word = _lexer.QuotedString();
            }
            else if (!_lexer.TryAtomAlone(out word))
            {
                break;
            }
            // A name keeps its spaces; in a local part the dots hold the words together (RFC 5322 section 4.4).
            if (hasSpace && !isFirst && !isDot) name.Write(" "u8);
            if (!isFirst && !isDot && !isBehindDot) localPart.Write(" "u8);
            name.Write(word);
            localPart.Write(word);
            (isFirst, isBehindDot) = (false, isDot);
        }
        return new Words(name.WrittenSpan.ToArray(), localPart.WrittenSpan.ToArray());
    }

    private byte[] Domain()
    {
        _lexer.SkipSpace();
        if (_lexer.Peek == '[') return _lexer.DomainLiteral();
        var text = new ArrayBufferWriter<byte>();
        while (true)
        {
            if (_lexer.TryAtom(out var label)) text.Write(label);
            if (_lexer.Peek != '.') break;
            _lexer.SkipOne();
            text.Write("."u8);
        }
        return text.WrittenSpan.ToArray();
    }

    /// <summary><c>@a,@b:</c>, the way of RFC 822; shown without its colon.</summary>
    /// <returns>The route; without a colon there is none, but an address that lacks its local part.</returns>
    private (byte[]? Route, byte[] Domain) ReadRoute()
    {
        var text = new ArrayBufferWriter<byte>();
        byte[] domain = [];
        while (_lexer.TrySkip((byte)'@'))
        {
            domain = Domain();
            text.Write(text.WrittenCount == 0 ? "@"u8 : ",@"u8);
            text.Write(domain);
            while (_lexer.TrySkip((byte)','))
            {
                // Empty entries are allowed in a route.
            }
        }
        return _lexer.TrySkip((byte)':') ? (text.WrittenSpan.ToArray(), []) : (null, domain);
    }

    private static byte[] Unescaped(ReadOnlySpan<byte> comment)
    {
        var text = new ArrayBufferWriter<byte>(comment.Length);
        for (var i = 0; i < comment.Length; i++)
        {
            if (comment[i] == '\\' && i + 1 < comment.Length) i++;
            text.Write(comment.Slice(i, 1));
        }
        return text.WrittenSpan.Trim(" \t"u8).ToArray();
    }

    /// <summary>The same words as a name and as a local part.</summary>
    private readonly record struct Words(byte[] Name, byte[] LocalPart);
}
