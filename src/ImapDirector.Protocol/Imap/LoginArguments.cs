using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of LOGIN, AUTHENTICATE, ID and ENABLE.</summary>
internal static class LoginArguments
{
    // Limits P6, RFC 2971 section 3.3.
    private const int MaxIdPairs = 30;
    private const int MaxIdKeyBytes = 30;
    private const int MaxIdValueBytes = 1024;

    private const int MaxCapabilities = 100;

    public static LoginCommand? Login(ref ImapLexer lexer, string tag) =>
        lexer.Space() && lexer.AString(out var user) && lexer.Space() && lexer.AString(out var password)
            ? new LoginCommand(tag, user.ToArray(), password.ToArray())
            : null;

    public static AuthenticateCommand? Authenticate(ref ImapLexer lexer, string tag)
    {
        if (!lexer.Space() || !lexer.Atom(out var mechanism)) return null;
        var name = Encoding.ASCII.GetString(mechanism).ToUpperInvariant();
        if (!lexer.TryNext()) return new AuthenticateCommand(tag, name, InitialResponse: null);
        // Only an atom can be base64: a string or a literal in its place is refused, not decoded (CVE-2025-59032).
        if (!lexer.Atom(out var response)) return null;
        if (!response.ContainsAnyExcept(Grammar.Base64Chars)) return new AuthenticateCommand(tag, name, response.ToArray());
        lexer.Fail("The initial response is not base64");
        return null;
    }

    public static IdCommand? Id(ref ImapLexer lexer, string tag)
    {
        if (!lexer.Space()) return null;
        if (lexer.TryWord("NIL"u8)) return new IdCommand(tag, []);
        if (!lexer.Open()) return null;
        var fields = ImmutableArray.CreateBuilder<KeyValuePair<string, string?>>();
        while (lexer.Peek != ')')
        {
            if (fields.Count > 0 && !lexer.Space()) return null;
            if (fields.Count == MaxIdPairs) return Refuse(ref lexer, "ID has too many fields");
            if (!lexer.String(out var key) || !lexer.Space()) return null;
            if (key.Length > MaxIdKeyBytes) return Refuse(ref lexer, "An ID field name is too long");
            string? text = null;
            if (!lexer.TryWord("NIL"u8))
            {
                if (!lexer.String(out var value)) return null;
                if (value.Length > MaxIdValueBytes) return Refuse(ref lexer, "An ID field is too long");
                if (!TryText(value, out text)) return Refuse(ref lexer, "An ID field has a control character");
            }
            if (!TryText(key, out var name)) return Refuse(ref lexer, "An ID field has a control character");
            fields.Add(new(name, text));
        }
        return lexer.Close() ? new IdCommand(tag, fields.DrainToImmutable()) : null;
    }

    public static EnableCommand? Enable(ref ImapLexer lexer, string tag)
    {
        var names = ImmutableArray.CreateBuilder<string>();
        if (!lexer.Space()) return null;
        do
        {
            if (names.Count == MaxCapabilities)
            {
                lexer.Fail("Too many capabilities");
                return null;
            }
            if (!lexer.Atom(out var name)) return null;
            names.Add(Encoding.ASCII.GetString(name).ToUpperInvariant());
        }
        while (lexer.TryNext());
        return new EnableCommand(tag, names.DrainToImmutable());
    }

    private static IdCommand? Refuse(ref ImapLexer lexer, string reason)
    {
        lexer.Fail(reason);
        return null;
    }

    /// <summary>The text of an ID string. Clients' names for themselves are not always UTF-8; what is not, is replaced.</summary>
    private static bool TryText(ReadOnlySpan<byte> bytes, out string text)
    {
        text = "";
        foreach (var value in bytes)
            if (value is < 0x20 or 0x7F) return false;
        text = Encoding.UTF8.GetString(bytes);
        return true;
    }
}
