namespace ImapDirector.Storage.Search;

/// <summary>Looks for a text without regard to case in text that comes in pieces, in time linear in both (Knuth, Morris and Pratt), since both
/// are a stranger's (limits N12). Compares character by character with simple case folding, no cultures and no normalisation.</summary>
internal sealed class SubstringMatcher
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

    /// <summary>Begins anew: what came before does not belong to what comes now.</summary>
    public void Reset() => _matched = 0;

    /// <summary>Takes the next piece.</summary>
    /// <returns>Whether the text has been found, in this piece or across its beginning.</returns>
    public bool Feed(ReadOnlySpan<char> text)
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

    /// <summary>Whether a text that is here whole has it.</summary>
    public bool IsIn(ReadOnlySpan<char> text)
    {
        Reset();
        return Feed(text);
    }
}
