using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search;

/// <summary>A message being searched; what costs a look-up is loaded when a key first asks for it.</summary>
internal sealed class SearchCandidate(UserStore store, MessageRecord message, uint sequence, bool recent) : IDisposable
{
    private MessageSummary? _summary;
    private Stream? _content;
    private int _scores;
    private int _scoreSum;
    private List<(string Name, string Value)>? _header;

    public MessageRecord Message => message;

    public uint Sequence => sequence;

    public bool IsRecent => recent;

    public MessageSummary Summary => _summary ??= store.Contents.LoadSummary(message.ContentId);

    public Stream Content => _content ??= store.Contents.Open(message.ContentId);

    /// <summary>The fields of the message's own header, decoded.</summary>
    public List<(string Name, string Value)> Header
    {
        get
        {
            if (_header is not null) return _header;
            var root = Summary.Parts[0];
            return _header = MessageText.ReadHeader(Content, root.HeaderStart, root.BodyStart);
        }
    }

    /// <summary>How well it matches, from 1 to 100: what its fuzzy keys have found, on average, or all where there are none (RFC 6203 section 4).</summary>
    public int Relevancy => _scores == 0 ? 100 : _scoreSum / _scores;

    /// <summary>A fuzzy key has matched so well.</summary>
    public void AddScore(int score)
    {
        _scores++;
        _scoreSum += score;
    }

    public void Dispose() => _content?.Dispose();
}
