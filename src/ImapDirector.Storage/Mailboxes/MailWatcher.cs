using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>Collects what happens in a user's mail for a session that has asked to be told (RFC 5465), until it takes it.</summary>
internal sealed class MailWatcher
{
    /// <summary>More changes of names than this are not kept: a client that takes none of them must not cost memory.</summary>
    public const int MostNames = 1000;

    private readonly Lock _sync = new();
    private readonly Dictionary<long, NotifyEvents> _messages = [];
    private readonly List<MailboxEvent> _names = [];
    private bool _isTooMuch;

    /// <summary>Fires when there is something to take.</summary>
    public ChangeSignal Signal { get; } = new();

    /// <summary>Something happened to messages of a mailbox.</summary>
    public void Add(long mailboxId, NotifyEvents happened)
    {
        lock (_sync) _messages[mailboxId] = _messages.GetValueOrDefault(mailboxId) | happened;
        Signal.Set();
    }

    /// <summary>Something happened to a mailbox itself, or to the account.</summary>
    public void Add(MailboxEvent happened)
    {
        lock (_sync)
        {
            _isTooMuch |= _names.Count == MostNames;
            if (!_isTooMuch) _names.Add(happened);
        }
        Signal.Set();
    }

    /// <summary>Takes what has been collected.</summary>
    /// <param name="messages">What happened to messages, by mailbox.</param>
    /// <param name="names">What happened to mailboxes, in order.</param>
    /// <returns><c>false</c> when it was too much to be kept: then something is missing.</returns>
    public bool TryTake(out KeyValuePair<long, NotifyEvents>[] messages, out MailboxEvent[] names)
    {
        lock (_sync)
        {
            (messages, names) = ([.. _messages], [.. _names]);
            _messages.Clear();
            _names.Clear();
            return !_isTooMuch;
        }
    }
}

/// <summary>Something that happened to a mailbox itself, or to the account.</summary>
/// <param name="Kind">What.</param>
/// <param name="Name">The mailbox, as it is called now; <c>null</c> for the account.</param>
internal sealed record MailboxEvent(MailboxEventKind Kind, MailboxName? Name)
{
    /// <summary>With <see cref="MailboxEventKind.Renamed"/>: what it was called.</summary>
    public MailboxName OldName { get; init; }

    /// <summary>With <see cref="MailboxEventKind.Metadata"/>: the annotations that changed.</summary>
    public IReadOnlyList<string> Entries { get; init; } = [];
}

/// <summary>The kinds of <see cref="MailboxEvent"/>.</summary>
internal enum MailboxEventKind
{
    Created,
    Deleted,
    Renamed,
    Subscribed,
    Unsubscribed,
    Metadata,
}
