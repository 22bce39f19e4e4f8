using System.Globalization;
using System.Text;

namespace ImapDirector.Protocol.Text;

/// <summary>Text of strangers as it is shown to people: nothing in it moves a cursor, ends a line or turns what stands beside it around.</summary>
public static class VisibleText
{
    /// <summary>The rune, or <c>\u{…}</c> with its number where it has no shape of its own: control and format characters, separators of lines, what is not assigned or
    /// privately used.</summary>
    public static string Of(Rune rune) => HasShape(rune) ? rune.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");

    /// <summary>The text with each of its runes as <see cref="Of(Rune)"/> has it; half a surrogate pair is U+FFFD.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes()) shown.Append(Of(rune));
        return shown.ToString();
    }

    private static bool HasShape(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
