using ImapDirector.Protocol.Text;

namespace ImapDirector.Storage.Search;

/// <summary>Looks for a text without regard to case in text that comes in pieces, in time linear in both (Knuth, Morris and Pratt), since both
/// are a stranger's (limits N12). What is the same to <see cref="CaseMap"/> is the same here.</summary>
internal sealed class SubstringMatcher : TextMatcher
{
    private readonly char[] _needle;

    // For each length of a match so far: the longest shorter one that it ends with.
    private readonly int[] _fallback;
    private int _matched;
    private char _high;

    public SubstringMatcher(string needle)
    {
        _needle = CaseMap.Fold(needle).ToCharArray();
        _fallback = new int[_needle.Length + 1];
        for (int i = 1, length = 0; i < _needle.Length; i++)
        {
            while (length > 0 && _needle[i] != _needle[length]) length = _fallback[length];
            if (_needle[i] == _needle[length]) length++;
            _fallback[i + 1] = length;
        }
    }

    public override void Reset() => (_matched, _high) = (0, '\0');

    public override bool Feed(ReadOnlySpan<char> text)
    {
        if (_needle.Length == 0) return true;
        foreach (var letter in text)
        {
            if (CaseMap.Simple(letter) is var simple and not CaseMap.Many)
            {
                if (Step(simple)) return true;
                continue;
            }
            foreach (var part in CaseMap.Fold(letter, ref _high))
                if (Step(part)) return true;
        }
        return false;
    }

    private bool Step(char folded)
    {
        var matched = _matched;
        while (matched > 0 && _needle[matched] != folded) matched = _fallback[matched];
        if (_needle[matched] == folded) matched++;
        var isFound = matched == _needle.Length;
        _matched = isFound ? 0 : matched;
        return isFound;
    }
}
