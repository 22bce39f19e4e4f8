namespace ImapDirector.Storage.Search;

/// <summary>Looks for a text without regard to case in text that comes in pieces, in time linear in both (Knuth, Morris and Pratt), since both
/// are a stranger's (limits N12). Compares character by character with simple case folding, no cultures and no normalisation.</summary>
internal sealed class SubstringMatcher : TextMatcher
{
    private readonly char[] _needle;

    // For each length of a match so far: the longest shorter one that it ends with.
    private readonly int[] _fallback;
    private int _matched;

    public SubstringMatcher(string needle)
    {
        _needle = needle.ToUpperInvariant().ToCharArray();
        _fallback = new int[_needle.Length + 1];
        for (int i = 1, length = 0; i < _needle.Length; i++)
        {
            while (length > 0 && _needle[i] != _needle[length]) length = _fallback[length];
            if (_needle[i] == _needle[length]) length++;
            _fallback[i + 1] = length;
        }
    }

    public override void Reset() => _matched = 0;

    public override bool Feed(ReadOnlySpan<char> text)
    {
        if (_needle.Length == 0) return true;
        var matched = _matched;
        foreach (var letter in text)
        {
            var folded = char.ToUpperInvariant(letter);
            while (matched > 0 && _needle[matched] != folded) matched = _fallback[matched];
            if (_needle[matched] == folded) matched++;
            if (matched < _needle.Length) continue;
            _matched = 0;
            return true;
        }
        _matched = matched;
        return false;
    }
}
