using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A LIST pattern: <c>*</c> stands for anything, <c>%</c> for anything but the delimiter (RFC 3501 section 6.3.8). All places where the
/// pattern may be are followed at once, so that the time is the name's length times the number of wild cards, and within a budget (limits N10).</summary>
internal sealed class ListPattern(string pattern)
{
    /// <summary>Steps that matching one name may take (limits N10).</summary>
    public const int MaxSteps = 20_000;

    /// <summary>Steps that one command may take, for all names and patterns together.</summary>
    public const long MaxStepsOfAll = 100_000_000;

    private readonly string _pattern = Collapse(pattern);

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Whether the pattern may fit names that begin so.</summary>
    public bool MayFitUnder(string prefix)
    {
        var wild = _pattern.AsSpan().IndexOfAny('*', '%');
        var fixedPart = wild < 0 ? _pattern : _pattern.AsSpan(0, wild);
        return fixedPart.StartsWith(prefix, StringComparison.Ordinal) || prefix.AsSpan().StartsWith(fixedPart, StringComparison.Ordinal);
    }

    /// <summary>Whether the pattern fits the whole name. A first level INBOX fits in any case.</summary>
    /// <returns><c>null</c> when the budget was spent.</returns>
    public bool? Matches(string name)
    {
        var inboxLength = FirstLevelIsInbox(name) ? MailboxName.Inbox.Value.Length : 0;
        // Places where the pattern may be, ascending; the one behind its end is where it has to be at last.
        var here = new Places(_pattern);
        var next = new Places(_pattern);
        here.Add(0);
        var before = Steps;
        for (var i = 0; i < name.Length; i++)
        {
            next.Clear();
            foreach (var place in here.All)
            {
                if (place == _pattern.Length) continue;
                if (++Steps - before > MaxSteps) return null;
                var letter = _pattern[place];
                if (letter == '*' || (letter == '%' && name[i] != MailboxName.Delimiter)) next.Add(place);
                else if (letter == name[i] || (i < inboxLength && char.ToUpperInvariant(letter) == name[i])) next.Add(place + 1);
            }
            if (next.All.IsEmpty) return false;
            (here, next) = (next, here);
        }
        return here.All[^1] == _pattern.Length;
    }

    private static bool FirstLevelIsInbox(string name)
    {
        var inbox = MailboxName.Inbox.Value;
        return name.StartsWith(inbox, StringComparison.Ordinal) && (name.Length == inbox.Length || name[inbox.Length] == MailboxName.Delimiter);
    }

    /// <summary>A run of wild cards is one: <c>*</c> when there is one in it.</summary>
    private static string Collapse(string pattern)
    {
        var collapsed = new StringBuilder(pattern.Length);
        foreach (var letter in pattern)
        {
            if (letter is '*' or '%' && collapsed.Length > 0 && collapsed[^1] is '*' or '%')
            {
                if (letter == '*') collapsed[^1] = '*';
                continue;
            }
            collapsed.Append(letter);
        }
        return collapsed.ToString();
    }

    private sealed class Places(string pattern)
    {
        private readonly List<int> _places = [];

        public ReadOnlySpan<int> All => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_places);

        public void Clear() => _places.Clear();

        /// <summary>Adds a place, and the one behind it when a wild card is there that may stand for nothing. Places come in ascending
        /// order, so one that is not above the last is there already.</summary>
        public void Add(int place)
        {
            if (_places.Count == 0 || _places[^1] < place) _places.Add(place);
            if (place < pattern.Length && pattern[place] is '*' or '%' && _places[^1] < place + 1) _places.Add(place + 1);
        }
    }
}
