using System.Collections.Concurrent;
using Prometheus;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A user's mailboxes that sessions have selected, and the one that was left last: clients go to and fro.</summary>
/// <remarks>Changed only by whoever has the user's turn; read by anybody.</remarks>
internal sealed class OpenMailboxes(IGauge selected)
{
    private readonly ConcurrentDictionary<long, Opened> _open = new();
    private Opened? _left;

    public IEnumerable<SharedMailbox> All => _open.Values.Select(static opened => opened.Mailbox);

    public SharedMailbox? Find(long id) => _open.TryGetValue(id, out var opened) ? opened.Mailbox : null;

    public void Add(SharedMailbox mailbox) => _open[mailbox.Id] = new Opened(mailbox);

    /// <summary>Lets a session in; <see cref="Leave"/> once for each call.</summary>
    /// <returns>The UIDs it begins with, ascending.</returns>
    public uint[] Join(SharedMailbox mailbox, MailboxCursor cursor)
    {
        if (_open[mailbox.Id].Sessions++ == 0) selected.Inc();
        return mailbox.Join(cursor);
    }

    public void Leave(SharedMailbox mailbox, MailboxCursor cursor)
    {
        mailbox.Leave(cursor);
        var opened = _open[mailbox.Id];
        if (--opened.Sessions > 0) return;
        selected.Dec();
        if (_left is { Sessions: 0 } before && before != opened) _open.TryRemove(before.Mailbox.Id, out _);
        opened.LeftAt = Environment.TickCount64;
        _left = opened;
    }

    /// <summary>Takes the one that was left last out of memory, if that is some time ago.</summary>
    /// <returns>Whether it did.</returns>
    public bool Trim(TimeSpan age)
    {
        if (_left is not { Sessions: 0 } left || Environment.TickCount64 - left.LeftAt < age.TotalMilliseconds) return false;
        _open.TryRemove(left.Mailbox.Id, out _);
        _left = null;
        return true;
    }

    /// <summary>A mailbox was deleted: its sessions have to leave, and nobody comes back to it.</summary>
    public void Delete(long id)
    {
        if (!_open.TryGetValue(id, out var opened)) return;
        opened.Mailbox.Deleted();
        if (opened.Sessions == 0) _open.TryRemove(id, out _);
    }

    private sealed class Opened(SharedMailbox mailbox)
    {
        public SharedMailbox Mailbox => mailbox;

        public int Sessions { get; set; }

        public long LeftAt { get; set; }
    }
}
