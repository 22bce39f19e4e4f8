using System.Globalization;

namespace ImapDirector.Storage.Search;

/// <summary>Looks for the words of a text, in any order and anywhere within words, and tells how well they were found (RFC 6203 sections 3 and 4).</summary>
internal sealed class FuzzyMatcher : TextMatcher
{
    // More narrow nothing down, and each is looked for on its own (limits N12).
    private const int MaxWords = 16;

    private const int PhraseScore = 100;

    // All words, but not as they were written.
    private const int BestScoreOfWords = 90;

    private readonly SubstringMatcher _phrase;
    private readonly SubstringMatcher[] _matchers;
    private readonly bool[] _found;
    private bool _phraseFound;

    public FuzzyMatcher(string text)
    {
        Words = Split(text);
        _phrase = new SubstringMatcher(text.Trim());
        _matchers = [.. Words.Select(static word => new SubstringMatcher(word))];
        _found = new bool[_matchers.Length];
    }

    /// <summary>What is looked for, each once; none where the text has no letters.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>How many of them a message must have.</summary>
    public int Needed => (Words.Count + 1) / 2;

    /// <summary>How well the message matches, from 1 to 100; 0 when it does not.</summary>
    public int Score
    {
        get
        {
            if (_phraseFound) return PhraseScore;
            var found = _found.Count(static one => one);
            return found == 0 || found < Needed ? 0 : Math.Max(1, found * BestScoreOfWords / _found.Length);
        }
    }

    /// <summary>Begins a message.</summary>
    public void Begin()
    {
        Array.Clear(_found);
        _phraseFound = false;
        Reset();
    }

    public override void Reset()
    {
        _phrase.Reset();
        foreach (var matcher in _matchers) matcher.Reset();
    }

    public override bool Feed(ReadOnlySpan<char> text)
    {
        if (_phrase.Feed(text)) _phraseFound = true;
        if (_phraseFound) return true;
        for (var i = 0; i < _matchers.Length; i++) _found[i] = _found[i] || _matchers[i].Feed(text);
        return false;
    }

    private static List<string> Split(string text)
    {
        var words = new List<string>();
        for (var start = 0; start < text.Length && words.Count < MaxWords;)
        {
            var end = start;
            while (end < text.Length && IsOfWord(text[end])) end++;
            if (end == start)
            {
                start++;
                continue;
            }
            var word = text[start..end];
            if (!words.Contains(word, StringComparer.OrdinalIgnoreCase)) words.Add(word);
            start = end;
        }
        return words;
    }

    private static bool IsOfWord(char letter) => char.IsLetterOrDigit(letter) || char.IsSurrogate(letter)
        || char.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
