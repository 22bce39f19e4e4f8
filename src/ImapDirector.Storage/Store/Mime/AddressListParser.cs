using System.Buffers;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Reads an address-list (RFC 5322 section 3.4 with the obsolete syntax of section 4.4) and writes the address structures of RFC 3501
/// section 7.4.2. What is malformed is told in the words that Dovecot uses, which clients know.</summary>
internal ref struct AddressListParser
{
    private static readonly byte[] MissingMailbox = "MISSING_MAILBOX"u8.ToArray();
    private static readonly byte[] MissingDomain = "MISSING_DOMAIN"u8.ToArray();
    private static readonly byte[] SyntaxError = "SYNTAX_ERROR"u8.ToArray();
    private static readonly byte[] InvalidRoute = "INVALID_ROUTE"u8.ToArray();

    private readonly IBufferWriter<byte> _output;
    private readonly ArrayBufferWriter<byte> _scratch = new();
    private readonly ArrayBufferWriter<byte> _comment = new();
    private HeaderCursor _cursor;
    private int _room;
    private byte[]? _name;
    private byte[]? _route;
    private byte[]? _mailbox;
    private byte[]? _domain;

    private AddressListParser(ReadOnlySpan<byte> value, int room, IBufferWriter<byte> output)
    {
        _cursor = new HeaderCursor(value, _comment);
        _room = room;
        _output = output;
    }

    /// <summary>Writes one structure for each address of a field.</summary>
    /// <param name="value">The field's value.</param>
    /// <param name="room">How many may be written. One that opens a group brings the one that closes it, whatever the room.</param>
    /// <param name="output">Where to.</param>
    /// <returns>How many were written.</returns>
    public static int Write(ReadOnlySpan<byte> value, int room, IBufferWriter<byte> output)
    {
        var parser = new AddressListParser(value, room, output);
        parser.List();
        return room - parser._room;
    }

    private void List()
    {
        if (_cursor.SkipSpace() != Progress.More) return;
        while (_room > 0)
        {
            if (Address() == Progress.End || !_cursor.TryTake((byte)',')) return;
            var space = _cursor.SkipSpace();
            if (space == Progress.Broken && _room > 0) Complete();
            if (space != Progress.More) return;
        }
    }

    private Progress Address()
    {
        var start = _cursor.Position;
        if (TryGroup(out var progress)) return progress;
        _cursor.Position = start;
        return Mailbox();
    }

    private bool TryGroup(out Progress progress)
    {
        _scratch.ResetWrittenCount();
        progress = _cursor.Phrase(_scratch);
        if (progress != Progress.More || !_cursor.TryTake((byte)':')) return false;
        _mailbox = _scratch.WrittenSpan.ToArray();
        Emit();

        if (_cursor.SkipSpace() == Progress.More && _cursor.Current != ';') Members();
        if (_cursor.TryTake((byte)';')) _cursor.SkipSpace();
        Emit();
        progress = _cursor.IsEnd ? Progress.End : Progress.More;
        return true;
    }

    private void Members()
    {
        while (_room > 0)
        {
            if (Mailbox() == Progress.End || !_cursor.TryTake((byte)',') || _cursor.SkipSpace() != Progress.More) return;
        }
    }

    private Progress Mailbox()
    {
        var start = _cursor.Position;
        if (!TryNameAndAddress(out var progress))
        {
            _cursor.Position = start;
            progress = BareAddress();
        }
        Complete();
        return progress;
    }

    private bool TryNameAndAddress(out Progress progress)
    {
        _scratch.ResetWrittenCount();
        progress = _cursor.Phrase(_scratch);
        if (progress != Progress.More || _cursor.Current != '<') return false;
        if (_scratch.WrittenCount > 0) _name = _scratch.WrittenSpan.ToArray();
        if (!AngleAddress()) _domain = SyntaxError;
        progress = _cursor.IsEnd ? Progress.End : Progress.More;
        return true;
    }

    private bool AngleAddress()
    {
        _cursor.Position++;
        if (_cursor.SkipSpace() != Progress.More) return false;
        if (_cursor.Current == '@' && !Route()) return false;
        if (_cursor.Current != '>')
        {
            if (LocalPart() != Progress.More) return false;
            if (_cursor.Current == '@' && Domain() != Progress.More) return false;
        }
        return _cursor.TryTake((byte)'>') && _cursor.SkipSpace() != Progress.Broken;
    }

    /// <summary>Goes over the domains a message was once routed by.</summary>
    /// <returns>Whether a local part may follow.</returns>
    private bool Route()
    {
        _scratch.ResetWrittenCount();
        var isValid = DomainList() && _cursor.TryTake((byte)':');
        _route = isValid ? _scratch.WrittenSpan.ToArray() : InvalidRoute;
        return _cursor.SkipSpace() == Progress.More;
    }

    private bool DomainList()
    {
        while (_cursor.Current == '@')
        {
            if (_scratch.WrittenCount > 0) _scratch.Write(","u8);
            _scratch.Write("@"u8);
            if (_cursor.Domain(_scratch) != Progress.More) return false;
            while (_cursor.SkipSpace() == Progress.More && _cursor.TryTake((byte)','))
            {
            }
        }
        return !_cursor.IsEnd;
    }

    private Progress BareAddress()
    {
        _comment.ResetWrittenCount();
        var isQuoted = _cursor.Current == '"';
        var progress = LocalPart();
        var hasDomain = progress != Progress.End && _cursor.Current == '@';
        if (hasDomain && Domain() is var domain and not Progress.More) progress = domain;

        if (_comment.WrittenCount > 0)
        {
            // RFC 822 wrote the person's name so: user@domain (Name)
            _name = _comment.WrittenSpan.ToArray();
            return progress;
        }
        if (hasDomain) return progress;

        // One word alone is a mailbox; several words, or a quoted one, are a name without its address.
        var length = _scratch.WrittenCount;
        _scratch.Write(" "u8);
        _cursor.Phrase(_scratch);
        if (_scratch.WrittenCount > length + 1)
        {
            _name = _scratch.WrittenSpan.ToArray();
            _mailbox = null;
        }
        else if (isQuoted)
        {
            _name = _mailbox;
            _mailbox = null;
        }
        return Progress.Broken;
    }

    private Progress LocalPart()
    {
        _scratch.ResetWrittenCount();
        var progress = _cursor.Current == '"' ? _cursor.QuotedString(_scratch) : _cursor.LocalPart(_scratch);
        if (progress != Progress.Broken) _mailbox = _scratch.WrittenSpan.ToArray();
        return progress;
    }

    private Progress Domain()
    {
        var domain = new ArrayBufferWriter<byte>();
        var progress = _cursor.Domain(domain);
        if (progress != Progress.Broken) _domain = domain.WrittenSpan.ToArray();
        return progress;
    }

    private void Complete()
    {
        _mailbox ??= MissingMailbox;
        if (_domain is null or []) _domain = MissingDomain;
        Emit();
    }

    private void Emit()
    {
        _output.Raw("("u8);
        if (_name is null) _output.Raw("NIL"u8);
        else _output.Human(_name);
        Field(_route);
        Field(_mailbox);
        Field(_domain);
        _output.Raw(")"u8);
        _name = _route = _mailbox = _domain = null;
        _room--;
    }

    private readonly void Field(byte[]? value)
    {
        _output.Raw(" "u8);
        if (value is null) _output.Raw("NIL"u8);
        else _output.Text(value);
    }
}
