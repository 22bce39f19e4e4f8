using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>ESEARCH (RFC 7377): searches several mailboxes, one after the other, with one answer for each that has something.</summary>
internal static class MultiSearchHandler
{
    private static readonly CommandResult OnlySelected = CommandResult.Bad("Message numbers and SAVE belong to the selected mailbox alone.");

    public static async ValueTask<CommandResult> RunAsync(MailSession session, MultiSearchCommand command)
    {
        var search = command.Search;
        var wanted = search.Return ?? new SearchReturn(SearchReturnItems.All);
        var withSelected = command.In.IsEmpty || command.In.Any(static filter => filter.Kind == MailboxFilterKind.Selected);
        if (withSelected && session.Selected is null) return CommandResult.NoMailboxSelected;
        var withOthers = command.In.Any(static filter => filter.Kind != MailboxFilterKind.Selected);
        if (withOthers && ((wanted.Items & SearchReturnItems.Save) != 0 || MessageNumbers.AreIn(search.Key))) return OnlySelected;

        if ((wanted.Items & SearchReturnItems.Update) != 0) SearchContexts.Refuse(session.Output, command.Tag);
        var saving = withSelected ? new SearchAnswer(session, session.Selected!, command.Tag, byUid: true, wanted, NameOf(session, session.Selected!)) : null;
        return await SearchRun.WithinDeadlineAsync(session, command.Tag, goal: null, saving, async progress =>
        {
            if (saving is not null) await SearchAsync(session, session.Selected!, search.Key, saving, progress, tellsNothing: !withOthers);
            foreach (var name in await FilteredMailboxes.FindAsync(session, command.In, progress.Deadline))
            {
                progress.Deadline.ThrowIfCancellationRequested();
                await SearchAsync(session, name, command, wanted, withSelected, progress);
            }
            return CommandResult.Ok("Search completed.");
        });
    }

    /// <summary>Searches a mailbox by its name; one that is not there, or may not be read, is passed over as if it were empty.</summary>
    private static async ValueTask SearchAsync(MailSession session, MailboxName name, MultiSearchCommand command, SearchReturn wanted, bool selectedIsDone, Progress progress)
    {
        session.Turns.End();
        await using var access = await session.Mailboxes.FindAsync(name);
        if (access.Refuses(MailboxRights.Read) is not null) return;
        var cursor = new MailboxCursor(readOnly: true);
        if (await access.Mail.OpenAsync(access.Name, cursor) is not var (mailbox, uids)) return;
        try
        {
            if (selectedIsDone && mailbox == session.Selected?.Shared) return;
            var view = new SelectedMailbox(mailbox, access, cursor, uids, session.Enabled);
            var answer = new SearchAnswer(session, view, command.Tag, byUid: true, wanted, name);
            await SearchAsync(session, view, command.Search.Key, answer, progress, tellsNothing: false);
        }
        finally
        {
            session.Turns.Pause();
            await access.Mail.CloseAsync(mailbox, cursor);
        }
    }

    private static async ValueTask SearchAsync(MailSession session, SelectedMailbox view, SearchKey key, SearchAnswer answer, Progress progress, bool tellsNothing)
    {
        var found = await SearchRun.FindAsync(session, view, key, progress);
        // A mailbox without matches has no answer (RFC 7377 section 2.1), but where it was the only one to be searched the client is told so.
        if (found.Uids.Count > 0 || tellsNothing) await answer.WriteAsync(found);
        await session.Output.FlushIfLargeAsync();
    }

    /// <summary>What the client calls the mailbox it has selected, which may have been renamed since.</summary>
    private static MailboxName NameOf(MailSession session, SelectedMailbox selected)
    {
        var name = selected.Mail.Store.FindMailbox(selected.Shared.Id)?.Name ?? selected.Access.Name;
        return selected.Access.IsOwn ? name : new MailboxName(session.Mailboxes.Namespaces.PrefixOf(selected.Mail.Store.User) + name.Value);
    }
}
