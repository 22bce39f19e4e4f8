using System.Formats.Asn1;
using System.Text;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication.Ldap;

/// <summary>A search filter with places for a user's name (RFC 4515: <c>&amp;</c>, <c>|</c>, <c>!</c>, equality and presence). It is taken apart once, before
/// there is a name: a name becomes a value in it and can never become a part of its structure.</summary>
internal sealed class LdapFilter
{
    private const int MaxDepth = 16;
    private static readonly Asn1Tag And = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag Or = new(TagClass.ContextSpecific, 1, isConstructed: true);
    private static readonly Asn1Tag Not = new(TagClass.ContextSpecific, 2, isConstructed: true);
    private static readonly Asn1Tag EqualityMatch = new(TagClass.ContextSpecific, 3, isConstructed: true);
    private static readonly Asn1Tag Present = new(TagClass.ContextSpecific, 7);

    private readonly Part _root;

    private LdapFilter(Part root) => _root = root;

    /// <summary>Reads one.</summary>
    /// <returns><c>null</c> when it is none, or uses something else than the above.</returns>
    public static LdapFilter? TryParse(string text)
    {
        var at = 0;
        return Parse(text, ref at, 0) is { } root && at == text.Length ? new LdapFilter(root) : null;
    }

    /// <summary>Writes it for a user.</summary>
    public void Write(AsnWriter writer, UserName user) => Write(writer, _root, user);

    /// <summary>Puts a name into a text with places for it.</summary>
    /// <remarks>The alphabet of names has none of the letters that mean something in a distinguished name (RFC 4514 section 2.4).</remarks>
    public static string Fill(string template, UserName user)
    {
        var at = user.Value.IndexOf('@', StringComparison.Ordinal);
        return template.Replace("{user}", user.Value, StringComparison.Ordinal)
            .Replace("{local}", at < 0 ? user.Value : user.Value[..at], StringComparison.Ordinal)
            .Replace("{domain}", at < 0 ? "" : user.Value[(at + 1)..], StringComparison.Ordinal);
    }

    private static void Write(AsnWriter writer, Part part, UserName user)
    {
        switch (part.Operator)
        {
            case '&' or '|':
                using (writer.PushSetOf(part.Operator == '&' ? And : Or))
                    foreach (var inner in part.Parts) Write(writer, inner, user);
                break;
            case '!':
                using (writer.PushSequence(Not)) Write(writer, part.Parts[0], user);
                break;
            case '*':
                writer.WriteOctetString(Encoding.UTF8.GetBytes(part.Attribute), Present);
                break;
            default:
                using (writer.PushSequence(EqualityMatch))
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(part.Attribute));
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(Fill(part.Value, user)));
                }
                break;
        }
    }

    private static Part? Parse(string text, ref int at, int depth)
    {
        if (depth > MaxDepth || at + 2 >= text.Length || text[at] != '(') return null;
        at++;
        if (text[at] is '&' or '|' or '!')
        {
            var letter = text[at++];
            var parts = new List<Part>();
            while (at < text.Length && text[at] == '(')
            {
                if (Parse(text, ref at, depth + 1) is not { } inner) return null;
                parts.Add(inner);
            }
            if (parts.Count == 0 || (letter == '!' && parts.Count > 1) || at >= text.Length || text[at++] != ')') return null;
            return new Part(letter, "", "", parts);
        }
        var end = text.IndexOf(')', at);
        var equals = text.IndexOf('=', at);
        if (end < 0 || equals < 0 || equals >= end) return null;
        var (attribute, value) = (text[at..equals], text[(equals + 1)..end]);
        at = end + 1;
        if (attribute.Length == 0 || !attribute.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or ';')) return null;
        if (value == "*") return new Part('*', attribute, "", []);
        return value.Length > 0 && value.IndexOfAny(['*', '\\', '(']) < 0 ? new Part('=', attribute, value, []) : null;
    }

    private sealed record Part(char Operator, string Attribute, string Value, IReadOnlyList<Part> Parts);
}
