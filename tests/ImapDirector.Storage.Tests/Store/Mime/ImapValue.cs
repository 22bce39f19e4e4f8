using System.Text;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>Reads the grammar of a FETCH answer strictly, and prints it so that a string looks the same whether it came quoted or as a literal.</summary>
internal sealed class ImapValue
{
    private readonly byte[] _bytes;
    private readonly StringBuilder _text = new();
    private int _position;
    private int _depth;

    private ImapValue(byte[] bytes) => _bytes = bytes;

    /// <summary>The deepest nesting of parentheses.</summary>
    public int MaxDepth { get; private set; }

    public override string ToString() => _text.ToString();

    /// <summary>Reads items up to the end.</summary>
    /// <exception cref="FormatException">They are not what RFC 3501 section 9 allows.</exception>
    public static ImapValue Parse(byte[] bytes)
    {
        var value = new ImapValue(bytes);
        value.Items();
        return value._position == bytes.Length ? value : throw new FormatException("A parenthesis closes what none opened: " + value._text);
    }

    private void Items()
    {
        while (_position < _bytes.Length && _bytes[_position] != ')')
        {
            switch (_bytes[_position])
            {
                case (byte)'(':
                    List();
                    break;
                case (byte)'"':
                    Quoted();
                    break;
                case (byte)'{':
                    Literal();
                    break;
                case (byte)' ':
                    _position++;
                    _text.Append(' ');
                    break;
                default:
                    Atom();
                    break;
            }
        }
    }

    private void List()
    {
        MaxDepth = Math.Max(MaxDepth, ++_depth);
        _position++;
        _text.Append('(');
        Items();
        if (_position == _bytes.Length) throw new FormatException("A parenthesis stays open: " + _text);
        _position++;
        _text.Append(')');
        _depth--;
    }

    private void Quoted()
    {
        var value = new StringBuilder();
        for (_position++; _bytes[_position] != '"'; _position++)
        {
            if (_bytes[_position] is 0 or (byte)'\r' or (byte)'\n' or >= 0x80) throw new FormatException("A quoted string holds what it may not: " + _text);
            if (_bytes[_position] == '\\' && _bytes[++_position] is not ((byte)'"' or (byte)'\\')) throw new FormatException("An escape is none: " + _text);
            value.Append((char)_bytes[_position]);
        }
        _position++;
        Append(value.ToString());
    }

    private void Literal()
    {
        var close = Array.IndexOf(_bytes, (byte)'}', _position);
        var length = int.Parse(Encoding.ASCII.GetString(_bytes, _position + 1, close - _position - 1));
        if (_bytes[close + 1] != '\r' || _bytes[close + 2] != '\n') throw new FormatException("A literal begins without CRLF: " + _text);
        var value = _bytes.AsSpan(close + 3, length);
        if (value.Contains((byte)0)) throw new FormatException("A literal holds a NUL: " + _text);
        _position = close + 3 + length;
        Append(Encoding.Latin1.GetString(value));
    }

    private void Atom()
    {
        var start = _position;
        // A section's name holds spaces and parentheses between its brackets.
        for (var inBrackets = false; _position < _bytes.Length && (inBrackets || !IsDelimiter(_bytes[_position])); _position++)
            inBrackets = _bytes[_position] == '[' || (inBrackets && _bytes[_position] != ']');
        if (_position == start) throw new FormatException($"The byte {_bytes[start]} begins nothing: {_text}");
        _text.Append(Encoding.ASCII.GetString(_bytes, start, _position - start));
    }

    private void Append(string value) => _text.Append('"').Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');

    private static bool IsDelimiter(byte value) => value is (byte)' ' or (byte)'(' or (byte)')' or (byte)'"' or (byte)'{' or < 0x20 or >= 0x7F;
}
