using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace ImapDirector.Storage.Store;

/// <summary>The combinations of keywords that the messages of a mailbox have: each is kept once, and no longer than a message has it, since a client can make
/// new ones for ever. Each keyword is one string, in however many combinations it is.</summary>
internal sealed class KeywordSets
{
    /// <summary>No keywords at all.</summary>
    public const int None = 0;

    // Whole mailboxes are read of which most messages have one of a few combinations.
    private const int MaxTexts = 64;

    private readonly List<Set> _sets = [new Set([], 0)];
    private readonly Stack<int> _free = [];
    // Of most mailboxes no message has any.
    private Dictionary<ImmutableArray<string>, int>? _known;
    private Dictionary<string, int>? _texts;
    private HashSet<string>? _words;

    public ImmutableArray<string> this[int set] => _sets[set].Words;

    /// <summary>Those that a message has.</summary>
    public IEnumerable<ImmutableArray<string>> InUse => _sets.Where(static set => set.Messages > 0).Select(static set => set.Words);

    /// <summary>One more message has these keywords.</summary>
    /// <returns>Their combination.</returns>
    public int Add(ImmutableArray<string> words)
    {
        if (words.IsEmpty) return None;
        _known ??= new Dictionary<ImmutableArray<string>, int>(SameWords.Instance);
        if (!_known.TryGetValue(words, out var set))
        {
            words = [.. words.Select(Spelled)];
            if (!_free.TryPop(out set))
            {
                set = _sets.Count;
                _sets.Add(default);
            }
            _known.Add(words, set);
            _sets[set] = new Set(words, 0);
        }
        _sets[set] = _sets[set] with { Messages = _sets[set].Messages + 1 };
        return set;
    }

    /// <summary>One more message has these keywords, with spaces between them.</summary>
    public int Add(string text)
    {
        _texts ??= new Dictionary<string, int>(StringComparer.Ordinal);
        if (_texts.TryGetValue(text, out var known))
        {
            _sets[known] = _sets[known] with { Messages = _sets[known].Messages + 1 };
            return known;
        }
        var set = Add([.. text.Split(' ')]);
        if (_texts.Count < MaxTexts) _texts.Add(text, set);
        return set;
    }

    /// <summary>One message less has a combination.</summary>
    public void Remove(int set)
    {
        if (set == None) return;
        var (words, messages) = _sets[set];
        if (messages > 1)
        {
            _sets[set] = new Set(words, messages - 1);
            return;
        }
        _known!.Remove(words);
        _texts?.Clear();
        _sets[set] = default;
        _free.Push(set);
    }

    private string Spelled(string word)
    {
        _words ??= new HashSet<string>(StringComparer.Ordinal);
        if (_words.TryGetValue(word, out var spelled)) return spelled;
        _words.Add(word);
        return word;
    }

    private readonly record struct Set(ImmutableArray<string> Words, int Messages);

    private sealed class SameWords : IEqualityComparer<ImmutableArray<string>>
    {
        public static readonly SameWords Instance = new();

        public bool Equals(ImmutableArray<string> left, ImmutableArray<string> right) => left.AsSpan().SequenceEqual(right.AsSpan());

        public int GetHashCode([DisallowNull] ImmutableArray<string> words)
        {
            var hash = new HashCode();
            foreach (var word in words) hash.Add(word, StringComparer.Ordinal);
            return hash.ToHashCode();
        }
    }
}
