namespace ImapDirector.Storage.Mailboxes;

/// <summary>What happened to a message.</summary>
internal enum ChangeKind : byte
{
    Flags,
    Removed,
}

/// <summary>One change of a mailbox.</summary>
/// <param name="First">The first of the messages.</param>
/// <param name="Last">The last of them; the same one where they were removed.</param>
/// <param name="ModSeq">The mod-sequence that those in between have at least that were changed.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Origin">The session that made it and answers for it itself, or <c>null</c>.</param>
internal readonly record struct MailboxChange(uint First, uint Last, ulong ModSeq, ChangeKind Kind, MailboxCursor? Origin);

/// <summary>The last changes of a mailbox, kept once for all its sessions, each of which remembers how far it has read. A session that
/// falls behind the oldest change kept compares its whole view instead, so that a slow reader costs no memory.</summary>
internal sealed class ChangeLog(int capacity = ChangeLog.DefaultCapacity)
{
    /// <summary>More than one batch of a command (limits N16) changes.</summary>
    public const int DefaultCapacity = 8192;

    private const int FirstSize = 16;

    private MailboxChange[] _changes = new MailboxChange[Math.Min(FirstSize, capacity)];

    /// <summary>The oldest change kept.</summary>
    public long First { get; private set; }

    /// <summary>Behind the newest change.</summary>
    public long Next { get; private set; }

    public MailboxChange this[long position] => _changes[position % _changes.Length];

    public void Add(MailboxChange change)
    {
        if (Next - First == _changes.Length)
        {
            if (_changes.Length < capacity) Grow();
            else First++;
        }
        _changes[Next++ % _changes.Length] = change;
    }

    /// <summary>Makes every session compare its whole view.</summary>
    public void Forget()
    {
        Next++;
        First = Next;
    }

    private void Grow()
    {
        var larger = new MailboxChange[Math.Min(_changes.Length * 2, capacity)];
        for (var position = First; position < Next; position++) larger[position % larger.Length] = this[position];
        _changes = larger;
    }
}
