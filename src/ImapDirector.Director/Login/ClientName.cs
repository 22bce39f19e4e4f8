using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Text;

namespace ImapDirector.Director.Login;

/// <summary>What a client calls itself in ID before it logs in. It is a stranger's text: it has a length, and nothing in what operators are shown of it moves a cursor,
/// ends a line or turns what stands beside it around.</summary>
internal static class ClientName
{
    /// <summary>In UTF-16 units, as it is and as it is shown.</summary>
    public const int MaxLength = 64;

    /// <summary>The fields <c>name</c> and <c>version</c>.</summary>
    /// <returns><c>null</c> where it has told neither.</returns>
    public static string? Of(IdCommand id)
    {
        var text = string.Join(' ', new[] { Field(id, "name"), Field(id, "version") }.Where(static field => !string.IsNullOrWhiteSpace(field)));
        return text.Length == 0 ? null : text.Length > MaxLength ? text[..MaxLength] : text;
    }

    /// <summary>The text with <c>\u{…}</c> for what has no shape of its own, cut where it gets too long.</summary>
    public static string Shown(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            var piece = rune.Value == '\\' ? @"\\" : VisibleText.Of(rune);
            if (shown.Length + piece.Length > MaxLength) break;
            shown.Append(piece);
        }
        return shown.ToString();
    }

    private static string? Field(IdCommand id, string name)
    {
        foreach (var (key, value) in id.Fields)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase)) return value;
        return null;
    }
}
