using System.Text;
using ImapDirector.Protocol.Text;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search;

/// <summary>What the text index leaves of a mailbox for one search text: a message it turns down need not be opened.</summary>
internal sealed class TextFilter
{
    /// <summary>The index knows runs of this many letters: shorter texts have to be looked for everywhere.</summary>
    private const int RunLength = 3;

    // More narrow nothing down.
    private const int MaxRuns = 32;

    private readonly HashSet<long> _candidates;

    private TextFilter(HashSet<long> candidates) => _candidates = candidates;

    /// <param name="text">What is looked for.</param>
    /// <param name="store">The user's store.</param>
    /// <param name="notIndexed">The contents of the mailbox that the index does not know.</param>
    /// <returns><c>null</c> when the text is too short.</returns>
    public static TextFilter? Of(string text, UserStore store, IEnumerable<long> notIndexed)
    {
        var letters = CaseMap.Fold(text).EnumerateRunes().ToArray();
        if (letters.Length < RunLength) return null;
        var runs = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i + RunLength <= letters.Length && runs.Count < MaxRuns; i++) runs.Add($"{letters[i]}{letters[i + 1]}{letters[i + 2]}");
        // A string of FTS5's syntax: only the quote has a meaning in it.
        var query = new StringBuilder();
        foreach (var run in runs)
        {
            if (query.Length > 0) query.Append(" AND ");
            query.Append('"').Append(run.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        }
        var candidates = store.TextCandidates(query.ToString()).ToHashSet();
        candidates.UnionWith(notIndexed);
        return new TextFilter(candidates);
    }

    /// <summary>Whether the message may have the text.</summary>
    public bool Leaves(MessageRecord message) => _candidates.Contains(message.ContentId);
}
