using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace ImapDirector.Protocol.Text;

/// <summary>How characters are made of others, from unicode-table.txt. The runtime's own normalisation needs ICU, which is not there in the invariant mode.</summary>
internal sealed class UnicodeTable
{
    private const int FirstSyllable = 0xAC00, Syllables = 11172, FirstLead = 0x1100, FirstVowel = 0x1161, FirstTail = 0x11A7, Leads = 19, Vowels = 21, Tails = 28;

    private static readonly Lazy<UnicodeTable> Loaded = new(static () => new UnicodeTable());

    private readonly FrozenDictionary<int, string> _canonical;
    private readonly FrozenDictionary<int, string> _compatible;
    private readonly FrozenDictionary<(int, int), int> _composed;
    private readonly FrozenDictionary<int, byte> _classes;

    private UnicodeTable()
    {
        var canonical = new Dictionary<int, int[]>();
        var compatible = new Dictionary<int, int[]>();
        var composed = new Dictionary<(int, int), int>();
        var classes = new Dictionary<int, byte>();
        using var stream = typeof(UnicodeTable).Assembly.GetManifestResourceStream("unicode-table.txt")!;
        using var reader = new StreamReader(stream, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            var sign = line.AsSpan().IndexOfAny("=!~-");
            var code = Hex(line.AsSpan(0, sign));
            if (line[sign] == '-')
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                var kind = byte.Parse(line.AsSpan(colon + 1), CultureInfo.InvariantCulture);
                for (var last = Hex(line.AsSpan(sign + 1, colon - sign - 1)); code <= last; code++) classes[code] = kind;
                continue;
            }
            int[] parts = [.. line[(sign + 1)..].Split(' ').Select(static part => Hex(part))];
            compatible[code] = parts;
            if (line[sign] == '~') continue;
            canonical[code] = parts;
            if (line[sign] == '=') composed[(parts[0], parts[1])] = code;
        }
        _canonical = canonical.Keys.ToFrozenDictionary(static code => code, code => Whole(code, canonical));
        _compatible = compatible.Keys.ToFrozenDictionary(static code => code, code => Whole(code, compatible));
        _composed = composed.ToFrozenDictionary();
        _classes = classes.ToFrozenDictionary();
    }

    public static UnicodeTable Instance => Loaded.Value;

    /// <summary>All characters that decompose, but for Hangul syllables.</summary>
    public IEnumerable<int> Decomposable => _compatible.Keys;

    /// <summary>The combining class; 0 for what does not combine.</summary>
    public byte ClassOf(int code) => _classes.GetValueOrDefault(code);

    /// <summary>All that a character is made of.</summary>
    /// <param name="code">The character.</param>
    /// <param name="compatible">Whether what only looks different is taken apart as well.</param>
    /// <returns><c>null</c> when it is itself.</returns>
    public string? Decompose(int code, bool compatible) =>
        IsSyllable(code) ? DecomposeSyllable(code) : (compatible ? _compatible : _canonical).GetValueOrDefault(code);

    /// <summary>The character that two make.</summary>
    /// <returns><c>null</c> when they make none.</returns>
    public int? Compose(int first, int second)
    {
        if (first is >= FirstLead and < FirstLead + Leads && second is >= FirstVowel and < FirstVowel + Vowels)
            return FirstSyllable + (((first - FirstLead) * Vowels) + second - FirstVowel) * Tails;
        if (IsSyllable(first) && (first - FirstSyllable) % Tails == 0 && second is > FirstTail and < FirstTail + Tails) return first + second - FirstTail;
        return _composed.TryGetValue((first, second), out var code) ? code : null;
    }

    /// <summary>Whether it is a Hangul syllable, of which there are too many for a table.</summary>
    public static bool IsSyllable(int code) => code is >= FirstSyllable and < FirstSyllable + Syllables;

    public static string DecomposeSyllable(int code)
    {
        var index = code - FirstSyllable;
        var (lead, vowel, tail) = ((char)(FirstLead + index / (Vowels * Tails)), (char)(FirstVowel + index % (Vowels * Tails) / Tails), (char)(FirstTail + index % Tails));
        return tail == FirstTail ? $"{lead}{vowel}" : $"{lead}{vowel}{tail}";
    }

    private static string Whole(int code, Dictionary<int, int[]> steps) =>
        steps.TryGetValue(code, out var parts) ? string.Concat(parts.Select(part => Whole(part, steps))) : char.ConvertFromUtf32(code);

    private static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
