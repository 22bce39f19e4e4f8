namespace ImapDirector.Storage.Mailboxes;

/// <summary>How far a session has read a <see cref="SharedMailbox"/>, and what it has read there but not yet told its client.</summary>
internal sealed class MailboxCursor(bool readOnly)
{
    /// <summary>An EXAMINE: it looks at <c>\Recent</c> without taking it away from others.</summary>
    public bool ReadOnly => readOnly;

    /// <summary>Fires when there is something to read.</summary>
    public ChangeSignal Signal { get; } = new();

    /// <summary>The next change of the log to read.</summary>
    public long Position { get; set; }

    /// <summary>The mod-sequence up to which everything has been read.</summary>
    public ulong ModSeq { get; set; }

    /// <summary>The highest UID that has been read.</summary>
    public uint LastUid { get; set; }

    /// <summary>The messages that are <c>\Recent</c> in this session.</summary>
    public UidRanges Recent { get; } = new();

    /// <summary>New messages, ascending.</summary>
    public List<uint> Added { get; } = [];

    /// <summary>Messages that are gone; told when the protocol allows it.</summary>
    public HashSet<uint> Removed { get; } = [];

    /// <summary>Messages whose flags were changed by others.</summary>
    public HashSet<uint> Changed { get; } = [];

    /// <summary>New messages, and those whose flags were changed by anybody; collected only where it is not <c>null</c>.</summary>
    public HashSet<uint>? Touched { get; set; }

    /// <summary>The mailbox itself was deleted.</summary>
    public bool Gone { get; set; }
}
