using System.Collections.Frozen;
using System.Text;

namespace ImapDirector.Protocol.Text;

/// <summary>Text as searching and sorting compare it: <c>i;unicode-casemap</c> (RFC 5051). Each character is taken apart, also where it only looks different from
/// another, and its letters become capitals; marks stay behind the letters they belong to.</summary>
public static class CaseMap
{
    /// <summary>What <see cref="Simple"/> gives for a character that does not become exactly one.</summary>
    public const char Many = '\uFFFF';

    private static readonly char[] Map = MakeMap();

    private static readonly FrozenDictionary<int, string> Others = UnicodeTable.Instance.Decomposable.Where(static code => code > char.MaxValue || Map[code] == Many)
        .ToFrozenDictionary(static code => code, Of);

    /// <summary>What one UTF-16 unit becomes; <see cref="Many"/> where <see cref="Fold(char, ref char)"/> has to be asked.</summary>
    public static char Simple(char letter) => Map[letter];

    /// <summary>What one UTF-16 unit becomes that <see cref="Simple"/> does not tell.</summary>
    /// <param name="letter">The unit.</param>
    /// <param name="high">The high surrogate that waits for its other half, or NUL.</param>
    /// <returns>Empty for a high surrogate.</returns>
    public static string Fold(char letter, ref char high)
    {
        if (char.IsHighSurrogate(letter))
        {
            high = letter;
            return "";
        }
        if (UnicodeTable.IsSyllable(letter)) return UnicodeTable.DecomposeSyllable(letter);
        if (!char.IsLowSurrogate(letter)) return Others.TryGetValue(letter, out var folded) ? folded : Of(letter);
        if (!char.IsSurrogatePair(high, letter)) return "\uFFFD";
        var code = char.ConvertToUtf32(high, letter);
        high = '\0';
        return Others.TryGetValue(code, out var other) ? other : Rune.ToUpperInvariant(new Rune(code)).ToString();
    }

    /// <summary>A whole text. It may come to eighteen times its length.</summary>
    public static string Fold(ReadOnlySpan<char> text) => Fold(text, int.MaxValue, out _);

    /// <summary>A text, as far as there is room for what becomes of it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="mostLetters">How many UTF-16 units it may become.</param>
    /// <param name="isWhole">Whether that was enough.</param>
    public static string Fold(ReadOnlySpan<char> text, int mostLetters, out bool isWhole)
    {
        var result = new StringBuilder(Math.Min(text.Length, mostLetters));
        var high = '\0';
        var read = 0;
        for (; read < text.Length && result.Length < mostLetters; read++)
        {
            var letter = text[read];
            if (Map[letter] is var simple and not Many) result.Append(simple);
            else result.Append(Fold(letter, ref high));
        }
        isWhole = read == text.Length && result.Length <= mostLetters;
        result.Length = Math.Min(result.Length, mostLetters);
        return result.ToString();
    }

    private static char[] MakeMap()
    {
        var map = new char[char.MaxValue + 1];
        for (var code = 0; code <= char.MaxValue; code++) map[code] = char.IsSurrogate((char)code) ? Many : Of(code) is [var single] ? single : Many;
        return map;
    }

    private static string Of(int code)
    {
        var parts = UnicodeTable.Instance.Decompose(code, compatible: true) ?? char.ConvertFromUtf32(code);
        // A capital may be made of more than its small letter is.
        return string.Concat(parts.EnumerateRunes().Select(static part => Rune.ToUpperInvariant(part))
            .Select(static capital => UnicodeTable.Instance.Decompose(capital.Value, compatible: true) ?? capital.ToString()));
    }
}
