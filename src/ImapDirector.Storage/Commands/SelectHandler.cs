using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>SELECT, EXAMINE, CLOSE and UNSELECT.</summary>
internal static class SelectHandler
{
    /// <summary>Without any of these a mailbox is read-only (RFC 4314 section 5.2).</summary>
    private const MailboxRights Changing =
        MailboxRights.Insert | MailboxRights.Expunge | MailboxRights.Seen | MailboxRights.Write | MailboxRights.DeleteMessages;

    public static async ValueTask<CommandResult> SelectAsync(MailSession session, SelectCommand command)
    {
        var output = session.Output;
        if (command.QResync is not null && !session.Enabled.QResync) return CommandResult.Bad("QRESYNC is not enabled.");
        if (session.Selected is not null)
        {
            await session.DeselectAsync();
            output.Raw("* OK [CLOSED] Previous mailbox closed.\r\n"u8);
        }
        if (command.CondStore) session.EnableCondStore();
        var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (access.Refuses(MailboxRights.Read) is { } refused)
        {
            await access.DisposeAsync();
            return refused;
        }
        var readOnly = command.ReadOnly || (access.Rights & Changing) == MailboxRights.None;
        if (await session.SelectAsync(access, readOnly) is not { } selected) return CommandResult.NoSuchMailbox;
        selected.WriteFlagList(output);
        selected.WriteExists(output);
        if (!session.Enabled.Imap4Rev2) selected.WriteRecent(output);
        if (!session.Enabled.Imap4Rev2 && !session.Enabled.UidOnly && selected.FirstUnseen() is > 0 and var unseen)
        {
            output.Raw("* OK [UNSEEN "u8);
            output.Number(unseen);
            output.Raw("] First unseen.\r\n"u8);
        }
        output.Raw("* OK [UIDVALIDITY "u8);
        output.Number(selected.Shared.UidValidity);
        output.Raw("] UIDs valid.\r\n* OK [UIDNEXT "u8);
        output.Number(selected.UidNext);
        output.Raw("] Predicted next UID.\r\n"u8);
        selected.WriteHighestModSeq(output);
        output.Raw("* OK [MAILBOXID ("u8);
        output.Raw(Encoding.ASCII.GetBytes(ObjectId.OfMailbox(selected.Shared.Id, selected.ObjectScope)));
        output.Raw(")] Its own, also under another name.\r\n"u8);
        output.Raw("* OK [URLMECH INTERNAL] Mechanisms of URLs.\r\n"u8);
        if (session.Enabled.Imap4Rev2)
        {
            // The name as we spell it (RFC 9051 section 6.3.2).
            output.Raw("* LIST () \"/\" "u8);
            output.Mailbox(command.Mailbox, session.Enabled.Utf8Names);
            output.EndLine();
        }
        if (command.QResync is { } state && state.UidValidity == selected.Shared.UidValidity) await ResynchronizeAsync(session, selected, state);
        return CommandResult.Ok(command.ReadOnly ? "Examine completed." : "Select completed.", readOnly ? "READ-ONLY" : "READ-WRITE");
    }

    /// <summary>Tells a client that comes back what has happened meanwhile (RFC 7162 section 3.2.5.2).</summary>
    private static async ValueTask ResynchronizeAsync(MailSession session, SelectedMailbox selected, QResyncState state)
    {
        await VanishedEarlier.WriteAsync(session, selected, state.ModSeq, state.KnownUids);
        var known = state.KnownUids is { } set ? selected.Resolve(set, byUid: true) : [(0, selected.Count - 1)];
        if (selected.Count == 0 || known is null) return;
        foreach (var uids in MessageBatches.Of(selected, known))
        {
            foreach (var message in selected.Shared.FindChanged(uids, state.ModSeq))
            {
                selected.WriteFlags(session.Output, selected.SequenceOf(message.Uid), message, withUid: true);
                await session.Output.FlushIfLargeAsync();
            }
        }
    }

    public static async ValueTask<CommandResult> CloseAsync(MailSession session, CloseCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        // The client is not told of these, and need not know their numbers: it leaves.
        if (command.Expunge && !selected.ReadOnly && selected.Allows(MailboxRights.Expunge)) await ExpungeHandler.ExpungeAsync(session, selected, uids: null);
        await session.DeselectAsync();
        return CommandResult.Ok(command.Expunge ? "Close completed." : "Unselect completed.");
    }
}
