using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.</summary>
internal static class MailboxCommands
{
    /// <summary>The special uses that a plain mailbox can have (RFC 6154 section 2): \All and \Flagged are views of others.</summary>
    private static readonly string[] SpecialUses = [@"\Archive", @"\Drafts", @"\Junk", @"\Sent", @"\Trash"];

    private static readonly CommandResult TooMany = CommandResult.No("LIMIT", "There are too many mailboxes.");

    public static async ValueTask<CommandResult> CreateAsync(MailSession session, CreateCommand command)
    {
        await using var place = await session.Mailboxes.FindPlaceAsync(command.Mailbox);
        // Whether something is there already is not told to whoever may make nothing there.
        if (place.Refuses(MailboxRights.Create, CommandResult.NoPermission) is { } refused) return refused;
        if (!place.IsOwn && !command.SpecialUse.IsEmpty) return CommandResult.No("USEATTR", "A mailbox of somebody else has no use of yours.");
        var use = command.SpecialUse switch
        {
            [] => null,
            [var one] => Array.Find(SpecialUses, known => known == one) ?? "",
            _ => "",
        };
        // Each use has one mailbox, so that clients agree on where things go.
        if (use is not null && (use.Length == 0 || session.Mail.Store.HasUse(use)))
            return CommandResult.No("USEATTR", "A mailbox cannot be made for this use.");
        session.Turns.Pause();
        return await place.Mail.CreateMailboxAsync(place.Name, use) switch
        {
            StoreResult.Done => CommandResult.Ok("Create completed.",
                place.Mail.Store.FindMailbox(place.Name) is { } made ? $"MAILBOXID ({ObjectId.OfMailbox(made.Id, place.ObjectScope)})" : ""),
            StoreResult.AlreadyExists => CommandResult.No("ALREADYEXISTS", "The mailbox exists already."),
            StoreResult.TooMany => TooMany,
            _ => CommandResult.No("CANNOT", "There can be no such mailbox."),
        };
    }

    public static async ValueTask<CommandResult> DeleteAsync(MailSession session, DeleteCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (access.Refuses(MailboxRights.DeleteMailbox) is { } refused) return refused;
        var record = access.Mail.Store.FindMailbox(access.Name);
        session.Turns.Pause();
        var result = await access.Mail.DeleteMailboxAsync(access.Name);
        switch (result)
        {
            case StoreResult.Done:
                // Whoever deletes the mailbox it has selected is back in the authenticated state; other sessions have to end.
                if (record is not null && session.Selected is { } selected && selected.Mail == access.Mail && selected.Shared.Id == record.Id) await session.DeselectAsync();
                return CommandResult.Ok("Delete completed.");
            case StoreResult.NotFound:
                return CommandResult.NoSuchMailbox;
            default:
                return CommandResult.No("CANNOT", "This mailbox cannot be deleted.");
        }
    }

    public static async ValueTask<CommandResult> RenameAsync(MailSession session, RenameCommand command)
    {
        await using var from = await session.Mailboxes.FindAsync(command.From);
        if (from.Refuses(MailboxRights.DeleteMailbox) is { } notFrom) return notFrom;
        await using var to = await session.Mailboxes.FindPlaceAsync(command.To);
        if (to.Refuses(MailboxRights.Create, CommandResult.NoPermission) is { } notTo) return notTo;
        if (from.Mail != to.Mail) return CommandResult.No("CANNOT", "A mailbox stays with its owner.");
        // Its messages would leave it, and what is delivered later would not be where they are.
        if (!from.IsOwn && from.Name.IsInbox) return CommandResult.No("CANNOT", "The inbox of somebody else cannot be renamed.");
        session.Turns.Pause();
        return await from.Mail.RenameMailboxAsync(from.Name, to.Name) switch
        {
            StoreResult.Done => CommandResult.Ok("Rename completed."),
            StoreResult.AlreadyExists => CommandResult.No("ALREADYEXISTS", "A mailbox of the new name exists already."),
            StoreResult.NotFound => CommandResult.NoSuchMailbox,
            StoreResult.TooMany => TooMany,
            _ => CommandResult.No("CANNOT", "The mailbox cannot be renamed so."),
        };
    }

    public static async ValueTask<CommandResult> SubscribeAsync(MailSession session, SubscribeCommand command)
    {
        if (command.Subscribe)
        {
            await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
            if (access.Refuses(MailboxRights.Lookup) is { } refused) return refused;
            if (access.Mail.Store.FindMailbox(access.Name) is null) return CommandResult.NoSuchMailbox;
        }
        session.Turns.Pause();
        if (await session.Mail.SetSubscribedAsync(command.Mailbox, command.Subscribe) == StoreResult.TooMany)
            return CommandResult.No("LIMIT", "There are too many subscriptions.");
        return CommandResult.Ok(command.Subscribe ? "Subscribe completed." : "Unsubscribe completed.");
    }
}
