using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>What it takes to change the system flags of many messages: the ranges that they are in, and how the mailbox's counters change.</summary>
internal sealed class FlagPlan(SystemFlags added, SystemFlags removed)
{
    /// <summary>Fewer messages in a range than this are rather written one by one.</summary>
    private const int WorthOfRange = 100;

    private readonly List<SequenceRange> _ranges = [];
    private readonly List<uint> _modified = [];
    private long _unseen;
    private long _deleted;
    private int _changed;
    private int _inRanges;

    /// <summary>Those that were to be left alone.</summary>
    public IReadOnlyList<uint> Modified => _modified;

    /// <summary>How many messages there are, those left alone included.</summary>
    public int Found => _inRanges + _modified.Count;

    /// <summary>Whether no message is really changed.</summary>
    public bool IsEmpty => _changed == 0;

    /// <summary>Whether ranges are the quicker way to write it down.</summary>
    public bool IsWorthRanges => _ranges.Count <= FlagChangeTable.MaxRows / 4 && _changed / WorthOfRange >= _ranges.Count;

    public FlagRanges Ranges => new(_ranges, added, removed, _unseen, _deleted);

    /// <param name="uid">A message.</param>
    /// <param name="flags">Its flags as they are.</param>
    /// <param name="isNeighbour">Whether the message before it in the mailbox is the one added before.</param>
    public void Add(uint uid, SystemFlags flags, bool isNeighbour)
    {
        if (isNeighbour && _ranges.Count > 0) _ranges[^1] = _ranges[^1] with { Last = uid };
        else _ranges.Add(new SequenceRange(uid, uid));
        _inRanges++;
        var changed = (flags | added) & ~removed;
        if (changed == flags) return;
        _changed++;
        _unseen += Is(flags, SystemFlags.Seen) - Is(changed, SystemFlags.Seen);
        _deleted += Is(changed, SystemFlags.Deleted) - Is(flags, SystemFlags.Deleted);
    }

    public void LeaveAlone(uint uid) => _modified.Add(uid);

    private static int Is(SystemFlags flags, SystemFlags one) => (flags & one) != 0 ? 1 : 0;
}
