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

    // A bit for each content from the first to the last: a search may have many of these, and of large mailboxes.
    private const long MaxBits = 64L * 1024 * 1024;

    private readonly long _first;
    private readonly ulong[] _bits;

    private TextFilter(long first, ulong[] bits) => (_first, _bits) = (first, bits);

    /// <param name="text">What is looked for.</param>
    /// <param name="store">The user's store.</param>
    /// <param name="notIndexed">The contents of the mailbox that the index does not know.</param>
    /// <param name="deadline">Ends the look into the index.</param>
    /// <returns><c>null</c> when the text is too short, or the contents are too far apart.</returns>
    /// <exception cref="OperationCanceledException">The search's time is over.</exception>
    public static TextFilter? Of(string text, UserStore store, IReadOnlyCollection<long> notIndexed, CancellationToken deadline)
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
        return Of(store.TextCandidates(query.ToString(), deadline), notIndexed);
    }

    /// <summary>Whether the message may have the text.</summary>
    public bool Leaves(MessageRecord message)
    {
        var bit = message.ContentId - _first;
        return bit >= 0 && bit < _bits.Length * 64L && (_bits[bit / 64] >> (int)(bit % 64) & 1) != 0;
    }

    private static TextFilter? Of(List<long> indexed, IReadOnlyCollection<long> notIndexed)
    {
        var (first, last) = (long.MaxValue, long.MinValue);
        foreach (var id in indexed.Concat(notIndexed)) (first, last) = (Math.Min(first, id), Math.Max(last, id));
        if (first > last) return new TextFilter(0, []);
        if (first < 0 || last - first >= MaxBits) return null;
        var bits = new ulong[(last - first) / 64 + 1];
        foreach (var id in indexed.Concat(notIndexed)) bits[(id - first) / 64] |= 1UL << (int)((id - first) % 64);
        return new TextFilter(first, bits);
    }
}
