using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>A Content-Type, or a Content-Disposition with an empty subtype: a name and its parameters (RFC 2045 section 5.1), as written.</summary>
internal sealed record ContentType(byte[] Type, byte[] Subtype, List<(byte[] Name, byte[] Value)> Parameters)
{
    /// <summary>Parameters of one field beyond this are left out (limits N7).</summary>
    public const int MaxParameters = 128;

    /// <summary>Parses a Content-Type field.</summary>
    /// <returns><c>null</c> when there is none, or it is broken before its subtype.</returns>
    public static ContentType? Parse(byte[]? value)
    {
        var lexer = new MimeLexer(value);
        if (!lexer.TryToken(out var type) || !lexer.TrySkip((byte)'/') || !lexer.TryToken(out var subtype)) return null;
        return new ContentType(type.ToArray(), subtype.ToArray(), ParseParameters(ref lexer));
    }

    /// <summary>Parses a Content-Disposition field (RFC 2183).</summary>
    /// <returns><c>null</c> when there is none, or it is broken.</returns>
    public static ContentType? ParseDisposition(byte[]? value)
    {
        var lexer = new MimeLexer(value);
        return lexer.TryToken(out var type) ? new ContentType(type.ToArray(), [], ParseParameters(ref lexer)) : null;
    }

    public bool Is(string type) => Ascii.EqualsIgnoreCase(Type, type);

    public bool Is(string type, string subtype) => Is(type) && Ascii.EqualsIgnoreCase(Subtype, subtype);

    public byte[]? Find(string parameter)
    {
        foreach (var (name, value) in Parameters)
            if (Ascii.EqualsIgnoreCase(name, parameter)) return value;
        return null;
    }

    private static List<(byte[] Name, byte[] Value)> ParseParameters(ref MimeLexer lexer)
    {
        var parameters = new List<(byte[], byte[])>();
        while (parameters.Count < MaxParameters && lexer.SkipBehind((byte)';'))
        {
            if (lexer.TryToken(out var name) && lexer.TrySkip((byte)'=') && lexer.TryParameterValue(out var value)) parameters.Add((name.ToArray(), value));
        }
        return parameters;
    }
}
