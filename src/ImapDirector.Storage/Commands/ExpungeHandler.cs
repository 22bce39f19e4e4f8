using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>EXPUNGE and UID EXPUNGE. The EXPUNGE responses are those that every session gets.</summary>
internal static class ExpungeHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, ExpungeCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (selected.ReadOnly) return CommandResult.ReadOnly;
        if (!selected.Allows(MailboxRights.Expunge)) return CommandResult.NoPermission;
        await ExpungeAsync(session, selected, command.Uids);
        return CommandResult.Ok("Expunge completed.") with { TellsHighestModSeq = session.Enabled.QResync };
    }

    /// <summary>Removes what carries \Deleted: of the given UIDs, or of all that the client knows. A message it was never told of stays,
    /// because the client cannot have meant it.</summary>
    public static async ValueTask ExpungeAsync(MailSession session, SelectedMailbox selected, SequenceSet? uids)
    {
        var deleted = selected.Shared.FindFlagged(SystemFlags.Deleted);
        deleted.RemoveAll(uid => selected.SequenceOf(uid) == 0);
        if (uids is not null)
        {
            var named = selected.ResolveUids(uids);
            deleted.RemoveAll(uid => !named.Contains(uid));
        }
        session.Turns.Pause();
        if (deleted.Count > 0) await selected.Mail.ExpungeAsync(selected.Shared, deleted);
    }
}
