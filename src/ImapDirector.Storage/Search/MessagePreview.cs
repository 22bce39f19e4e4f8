using System.Net;
using System.Text;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search;

/// <summary>The first words of a message's text (PREVIEW, RFC 8970).</summary>
internal static class MessagePreview
{
    /// <summary>RFC 8970 section 3.2: 200 characters should be enough, 256 are the most.</summary>
    private const int MaxCharacters = 200;

    // Markup may come first, and much of it.
    private const int MaxSourceCharacters = 16 * 1024;

    // What stands between these is not for people.
    private static readonly (string Opening, string Closing)[] Hidden = [("<style", "</style"), ("<script", "</script"), ("<head>", "</head"), ("<!--", "-->")];

    /// <returns><c>null</c> when the message has no text.</returns>
    public static string? Of(Stream content, MessageSummary summary)
    {
        var part = summary.Parts.FirstOrDefault(static part => part.ContentType is "text/plain" or "") ?? summary.Parts.FirstOrDefault(static part => part.ContentType == "text/html");
        if (part is null) return null;
        using var reader = MessageText.OpenPart(content, part);
        var source = new char[MaxSourceCharacters];
        var read = reader.ReadBlock(source);
        var text = source.AsSpan(0, read);
        return part.ContentType == "text/html" ? Cut(WebUtility.HtmlDecode(WithoutMarkup(text))) : Cut(text);
    }

    /// <summary>Runs of white space become one space; control characters go.</summary>
    private static string Cut(ReadOnlySpan<char> text)
    {
        var preview = new StringBuilder(MaxCharacters);
        var count = 0;
        var space = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
            {
                space = preview.Length > 0;
                continue;
            }
            if (count + (space ? 2 : 1) > MaxCharacters) break;
            if (space) preview.Append(' ');
            preview.Append(rune.ToString());
            count += space ? 2 : 1;
            space = false;
        }
        return preview.ToString();
    }

    private static string WithoutMarkup(ReadOnlySpan<char> html)
    {
        var text = new StringBuilder();
        while (!html.IsEmpty)
        {
            var tag = html.IndexOf('<');
            text.Append(tag < 0 ? html : html[..tag]).Append(' ');
            if (tag < 0) break;
            html = html[tag..];
            foreach (var (opening, closing) in Hidden)
            {
                if (!html.StartsWith(opening, StringComparison.OrdinalIgnoreCase)) continue;
                var closed = html.IndexOf(closing, StringComparison.OrdinalIgnoreCase);
                html = closed < 0 ? [] : html[closed..];
                break;
            }
            var end = html.IndexOf('>');
            html = end < 0 ? [] : html[(end + 1)..];
        }
        return text.ToString();
    }
}
