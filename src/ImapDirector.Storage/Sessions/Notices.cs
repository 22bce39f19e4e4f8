using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Sessions;

/// <summary>What a client has asked to be told without asking again (NOTIFY, RFC 5465), of the selected mailbox and of the user's others.</summary>
internal sealed class Notices
{
    private static readonly ImmutableArray<StatusItem> Counters = [StatusItem.Messages, StatusItem.UidNext, StatusItem.UidValidity, StatusItem.Unseen];
    private static readonly ImmutableArray<StatusItem> CountersWithModSeq = [.. Counters, StatusItem.HighestModSeq];

    private readonly MailSession _session;
    private readonly ImmutableArray<NotifyGroup> _groups;
    private readonly MailWatcher _watcher = new();

    /// <param name="session">The session.</param>
    /// <param name="groups">What is to be told; at least one.</param>
    public Notices(MailSession session, ImmutableArray<NotifyGroup> groups)
    {
        _session = session;
        _groups = groups;
        Selected = groups.FirstOrDefault(static group => group.Filter.Kind is MailboxFilterKind.Selected or MailboxFilterKind.SelectedDelayed);
        session.Mail.Watchers.Add(_watcher);
    }

    /// <summary>What is to be told of the selected mailbox; <c>null</c> where nothing was said of it: then it is told of at the end of commands, as ever.</summary>
    public NotifyGroup? Selected { get; }

    /// <summary>Whether changes of the selected mailbox are told as they happen.</summary>
    public bool TellsSelected => Selected is { Events: not NotifyEvents.None };

    /// <summary>Completes when something has happened in another mailbox.</summary>
    public Task WaitAsync() => _watcher.Signal.WaitAsync();

    /// <summary>Nothing is told any more.</summary>
    public void End() => _session.Mail.Watchers.Remove(_watcher);

    /// <summary>Tells the counters of all mailboxes whose messages the client wants to know of.</summary>
    public async ValueTask TellStatusAsync()
    {
        var events = new MailboxEvents(_session, _groups);
        foreach (var mailbox in _session.Mail.Store.ListMailboxes())
        {
            if (IsSelected(mailbox.Id) || (events.Of(mailbox.Name) & NotifyEvents.Messages) == NotifyEvents.None) continue;
            TellStatus(mailbox);
            await _session.Output.FlushIfLargeAsync();
        }
    }

    /// <summary>Tells what has happened in other mailboxes.</summary>
    /// <returns><c>false</c> when it was too much to be kept (RFC 5465 section 5.8): then the client has to ask for it anew.</returns>
    public async ValueTask<bool> TellAsync()
    {
        if (!_watcher.TryTake(out var messages, out var names)) return false;
        if (messages.Length == 0 && names.Length == 0) return true;
        var events = new MailboxEvents(_session, _groups);
        foreach (var happened in names)
        {
            if (IsWanted(events, happened)) Tell(happened);
            await _session.Output.FlushIfLargeAsync();
        }
        foreach (var (id, happened) in messages)
        {
            if (IsSelected(id) || _session.Mail.Store.FindMailbox(id) is not { Selectable: true } mailbox || (events.Of(mailbox.Name) & happened) == NotifyEvents.None) continue;
            TellStatus(mailbox);
            await _session.Output.FlushIfLargeAsync();
        }
        return true;
    }

    private bool IsSelected(long mailboxId) => _session.Selected is { } selected && selected.Mail == _session.Mail && selected.Shared.Id == mailboxId;

    private static bool IsWanted(MailboxEvents events, MailboxEvent happened)
    {
        if (happened.Name is not { } name) return events.OfAccount;
        var wanted = happened.Kind switch
        {
            MailboxEventKind.Subscribed or MailboxEventKind.Unsubscribed => NotifyEvents.SubscriptionChange,
            MailboxEventKind.Metadata => NotifyEvents.MailboxMetadataChange,
            _ => NotifyEvents.MailboxName,
        };
        return (events.Of(name) & wanted) != NotifyEvents.None || (happened.Kind == MailboxEventKind.Renamed && (events.Of(happened.OldName) & wanted) != NotifyEvents.None);
    }

    private void TellStatus(MailboxRecord mailbox) => StatusHandler.Write(_session, mailbox.Name, MailboxAccess.Own(_session.Mail, mailbox.Name), mailbox,
        _session.Enabled.CondStore ? CountersWithModSeq : Counters);

    private void Tell(MailboxEvent happened)
    {
        var (output, utf8) = (_session.Output, _session.Enabled.Utf8Names);
        if (happened.Kind == MailboxEventKind.Metadata)
        {
            output.Raw("* METADATA "u8);
            if (happened.Name is { } annotated) output.Mailbox(annotated, utf8);
            else output.Raw("\"\""u8);
            foreach (var entry in happened.Entries)
            {
                output.Raw(" "u8);
                output.AString(Encoding.UTF8.GetBytes(entry));
            }
            output.EndLine();
            return;
        }
        output.Raw(happened.Kind switch
        {
            MailboxEventKind.Deleted => "* LIST (\\NonExistent) \"/\" "u8,
            MailboxEventKind.Subscribed => "* LIST (\\Subscribed) \"/\" "u8,
            _ => "* LIST () \"/\" "u8,
        });
        output.Mailbox(happened.Name!.Value, utf8);
        if (happened.Kind == MailboxEventKind.Renamed)
        {
            output.Raw(" (\"OLDNAME\" ("u8);
            output.Mailbox(happened.OldName, utf8);
            output.Raw("))"u8);
        }
        output.EndLine();
    }
}
