using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>SELECT, EXAMINE, CLOSE and UNSELECT.</summary>
internal static class SelectHandler
{
    public static async ValueTask<CommandResult> SelectAsync(MailSession session, SelectCommand command)
    {
        var output = session.Output;
        if (session.Selected is not null)
        {
            await session.DeselectAsync();
            output.Raw("* OK [CLOSED] Previous mailbox closed.\r\n"u8);
        }
        if (await session.SelectAsync(command.Mailbox, command.ReadOnly) is not { } selected) return CommandResult.NoSuchMailbox;
        selected.WriteFlagList(output);
        selected.WriteExists(output);
        selected.WriteRecent(output);
        if (selected.FirstUnseen() is > 0 and var unseen)
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
        return command.ReadOnly
            ? CommandResult.Ok("Examine completed.", "READ-ONLY")
            : CommandResult.Ok("Select completed.", "READ-WRITE");
    }

    public static async ValueTask<CommandResult> CloseAsync(MailSession session, CloseCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        // The client is not told of these, and need not know their numbers: it leaves.
        if (command.Expunge && !selected.ReadOnly) await ExpungeHandler.ExpungeAsync(session, selected, uids: null);
        await session.DeselectAsync();
        return CommandResult.Ok(command.Expunge ? "Close completed." : "Unselect completed.");
    }
}
