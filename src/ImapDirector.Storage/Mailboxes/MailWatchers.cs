using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>The sessions that are to be told what happens in a user's mail (RFC 5465); most often none.</summary>
internal sealed class MailWatchers
{
    // Replaced as a whole, so that whoever publishes needs no lock.
    private ImmutableArray<MailWatcher> _all = [];

    /// <summary>From now on it collects.</summary>
    public void Add(MailWatcher watcher) => ImmutableInterlocked.Update(ref _all, static (all, one) => all.Add(one), watcher);

    public void Remove(MailWatcher watcher) => ImmutableInterlocked.Update(ref _all, static (all, one) => all.Remove(one), watcher);

    /// <summary>Something happened to messages of a mailbox.</summary>
    public void Publish(long mailboxId, NotifyEvents happened)
    {
        foreach (var watcher in _all) watcher.Add(mailboxId, happened);
    }

    /// <summary>Something happened to a mailbox itself, or to the account.</summary>
    public void Publish(MailboxEvent happened)
    {
        foreach (var watcher in _all) watcher.Add(happened);
    }

    /// <summary>A mailbox was renamed: what is below it is called otherwise with it.</summary>
    public void PublishRenamed(UserStore store, MailboxName from, MailboxName to)
    {
        if (_all.IsEmpty) return;
        Publish(new MailboxEvent(MailboxEventKind.Renamed, to) { OldName = from });
        var below = to.Value + MailboxName.Delimiter;
        foreach (var mailbox in store.ListMailboxes())
        {
            if (!mailbox.Name.Value.StartsWith(below, StringComparison.Ordinal)) continue;
            Publish(new MailboxEvent(MailboxEventKind.Renamed, mailbox.Name) { OldName = new MailboxName(from.Value + mailbox.Name.Value[to.Value.Length..]) });
        }
    }
}
