using System.Text;

namespace ImapDirector.Protocol.Text;

/// <summary>Text with one spelling for what is the same: normalisation form C (Unicode Standard Annex 15), as RFC 5198 asks for on the wire.</summary>
internal static class NetUnicode
{
    /// <summary>Nothing below combines, and nothing below is spelled in another way.</summary>
    private const char FirstCombining = '\u0300';

    /// <summary>The text in form C. Half of a surrogate pair stays where it is.</summary>
    public static string Compose(string text)
    {
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(FirstCombining - 1)) < 0) return text;
        var table = UnicodeTable.Instance;
        var codes = new List<int>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var code = char.IsSurrogatePair(text, i) ? char.ConvertToUtf32(text[i], text[++i]) : text[i];
            if (table.Decompose(code, compatible: false) is { } parts)
                foreach (var part in parts.EnumerateRunes()) codes.Add(part.Value);
            else codes.Add(code);
        }
        Order(codes, table);
        Join(codes, table);
        var composed = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var code in codes)
        {
            // As a Rune it would be boxed and made a string each time.
            if (Rune.TryCreate(code, out var rune)) composed.Append(units[..rune.EncodeToUtf16(units)]);
            else composed.Append((char)code);
        }
        return composed.Equals(text) ? text : composed.ToString();
    }

    /// <summary>Marks in the order of their classes; those of one class stay as they are.</summary>
    private static void Order(List<int> codes, UnicodeTable table)
    {
        for (var start = 0; start < codes.Count; start++)
        {
            if (table.ClassOf(codes[start]) == 0) continue;
            var end = start;
            while (end < codes.Count && table.ClassOf(codes[end]) != 0) end++;
            int[] marks = [.. codes.GetRange(start, end - start).OrderBy(code => table.ClassOf(code))];
            for (var i = 0; i < marks.Length; i++) codes[start + i] = marks[i];
            start = end;
        }
    }

    /// <summary>Joins each starter with the marks behind it that nothing stands between.</summary>
    private static void Join(List<int> codes, UnicodeTable table)
    {
        var (starter, lastClass, kept) = (-1, 0, 0);
        for (var i = 0; i < codes.Count; i++)
        {
            var code = codes[i];
            var kind = table.ClassOf(code);
            // Blocked by a mark of the same class or a higher one, and by another starter.
            var isNext = starter == kept - 1;
            if (starter >= 0 && (isNext || (lastClass != 0 && lastClass < kind)) && table.Compose(codes[starter], code) is { } joined)
            {
                codes[starter] = joined;
                continue;
            }
            if (kind == 0) starter = kept;
            lastClass = kind;
            codes[kept++] = code;
        }
        codes.RemoveRange(kept, codes.Count - kept);
    }
}
