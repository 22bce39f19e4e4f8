using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>STORE and UID STORE.</summary>
internal static class StoreHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, StoreCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (selected.ReadOnly) return CommandResult.ReadOnly;
        if (selected.Resolve(command.Messages, command.ByUid) is not { } places) return CommandResult.InvalidMessageSet;

        var expunged = false;
        foreach (var uids in MessageBatches.Of(selected, places))
        {
            var messages = await session.Mail.StoreFlagsAsync(selected.Shared, uids, command.Operation, command.Flags, selected.Cursor, CancellationToken.None);
            if (messages is null) return CommandResult.TooManyKeywords;
            selected.Read();
            expunged |= messages.Count < uids.Length;
            if (command.Silent) continue;
            selected.TellKeywords(session.Output);
            foreach (var message in messages)
            {
                selected.WriteFlags(session.Output, selected.SequenceOf(message.Uid), message, command.ByUid);
                await session.Output.FlushIfLargeAsync();
            }
        }
        return expunged && !command.ByUid
            ? CommandResult.No("EXPUNGEISSUED", "Some of the messages no longer exist.")
            : CommandResult.Ok("Store completed.");
    }
}
