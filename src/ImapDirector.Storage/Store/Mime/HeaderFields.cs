using System.Buffers;
using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>The fields of one header that ENVELOPE and BODYSTRUCTURE are made of, unfolded and otherwise as they were sent.</summary>
internal sealed class HeaderFields
{
    /// <summary>Of a field this much is kept (limits N6 bounds the header; more than this in one of these fields serves nobody).</summary>
    public const int MaxFieldBytes = 256 * 1024;

    private const int MaxNameBytes = 32;

    private static readonly HashSet<string> Wanted = new(StringComparer.OrdinalIgnoreCase)
    {
        "Date", "Subject", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "In-Reply-To", "Message-ID",
        "Content-Type", "Content-Transfer-Encoding", "Content-ID", "Content-Description", "Content-Disposition", "Content-Language",
        "Content-Location", "Content-MD5",
    };

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> WantedNames = Wanted.GetAlternateLookup<ReadOnlySpan<char>>();

    private readonly Dictionary<string, List<byte[]>> _fields = new(StringComparer.OrdinalIgnoreCase);
    private ArrayBufferWriter<byte>? _value;
    private string? _name;

    /// <summary>Takes the next piece of the header.</summary>
    public void Add(ReadOnlySpan<byte> piece, bool startsLine)
    {
        if (startsLine && piece[0] is not ((byte)' ' or (byte)'\t'))
        {
            End();
            var colon = piece.IndexOf((byte)':');
            if (colon < 0) return;
            _name = NameOf(piece[..colon].TrimEnd(" \t"u8));
            if (_name is null) return;
            _value = new ArrayBufferWriter<byte>();
            piece = piece[(colon + 1)..];
        }
        else if (startsLine && _value is not null)
        {
            // Unfolded: the line end and the white space behind it are one space.
            piece = piece.TrimStart(" \t"u8);
            if (!piece.TrimEnd("\r\n"u8).IsEmpty && _value.WrittenCount > 0) Append(" "u8);
        }
        if (_value is not null) Append(piece);
    }

    /// <summary>The header is over.</summary>
    public void End()
    {
        if (_name is not null && _value is not null)
        {
            if (!_fields.TryGetValue(_name, out var values)) _fields.Add(_name, values = []);
            values.Add(_value.WrittenSpan.Trim(" \t"u8).ToArray());
        }
        (_name, _value) = (null, null);
    }

    /// <summary>The value of a field; <c>null</c> when there is none. Of several the last counts, as with Dovecot.</summary>
    public byte[]? Find(string name) => _fields.TryGetValue(name, out var values) ? values[^1] : null;

    /// <summary>All values of a field.</summary>
    public IReadOnlyList<byte[]> FindAll(string name) => _fields.TryGetValue(name, out var values) ? values : [];

    private void Append(ReadOnlySpan<byte> piece)
    {
        piece = piece.TrimEnd("\r\n"u8);
        var room = MaxFieldBytes - _value!.WrittenCount;
        foreach (var value in piece.Length > room ? piece[..room] : piece)
        {
            // A NUL cannot be sent in a string, nor can a bare CR in the middle of a line be told from a line's end.
            if (value is (byte)'\r' or 0) continue;
            _value.GetSpan(1)[0] = value;
            _value.Advance(1);
        }
    }

    private static string? NameOf(ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > MaxNameBytes) return null;
        Span<char> text = stackalloc char[name.Length];
        Encoding.Latin1.GetChars(name, text);
        return WantedNames.TryGetValue(text, out var wanted) ? wanted : null;
    }
}
