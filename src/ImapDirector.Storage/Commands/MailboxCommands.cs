using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE.</summary>
internal static class MailboxCommands
{
    /// <summary>The special uses that a plain mailbox can have (RFC 6154 section 2): \All and \Flagged are views of others.</summary>
    private static readonly string[] SpecialUses = [@"\Archive", @"\Drafts", @"\Junk", @"\Sent", @"\Trash"];

    public static async ValueTask<CommandResult> CreateAsync(MailSession session, CreateCommand command)
    {
        var use = command.SpecialUse switch
        {
            [] => null,
            [var one] => Array.Find(SpecialUses, known => known == one) ?? "",
            _ => "",
        };
        // Each use has one mailbox, so that clients agree on where things go.
        if (use is not null && (use.Length == 0 || session.Mail.Store.ListMailboxes().Any(mailbox => mailbox.SpecialUse == use)))
            return CommandResult.No("USEATTR", "A mailbox cannot be made for this use.");
        return await session.Mail.CreateMailboxAsync(command.Mailbox, use, CancellationToken.None) switch
        {
            StoreResult.Done => CommandResult.Ok("Create completed.",
                session.Mail.Store.FindMailbox(command.Mailbox) is { } made ? $"MAILBOXID ({ObjectId.OfMailbox(made.Id)})" : ""),
            StoreResult.AlreadyExists => CommandResult.No("ALREADYEXISTS", "The mailbox exists already."),
            _ => CommandResult.No("CANNOT", "There can be no such mailbox."),
        };
    }

    public static async ValueTask<CommandResult> DeleteAsync(MailSession session, DeleteCommand command)
    {
        var record = session.Mail.Store.FindMailbox(command.Mailbox);
        var result = await session.Mail.DeleteMailboxAsync(command.Mailbox, CancellationToken.None);
        switch (result)
        {
            case StoreResult.Done:
                // Whoever deletes the mailbox it has selected is back in the authenticated state; other sessions have to end.
                if (record is not null && session.Selected?.Shared.Id == record.Id) await session.DeselectAsync();
                return CommandResult.Ok("Delete completed.");
            case StoreResult.NotFound:
                return CommandResult.NoSuchMailbox;
            default:
                return CommandResult.No("CANNOT", "This mailbox cannot be deleted.");
        }
    }

    public static async ValueTask<CommandResult> RenameAsync(MailSession session, RenameCommand command) =>
        await session.Mail.RenameMailboxAsync(command.From, command.To, CancellationToken.None) switch
        {
            StoreResult.Done => CommandResult.Ok("Rename completed."),
            StoreResult.AlreadyExists => CommandResult.No("ALREADYEXISTS", "A mailbox of the new name exists already."),
            StoreResult.NotFound => CommandResult.NoSuchMailbox,
            _ => CommandResult.No("CANNOT", "The mailbox cannot be renamed so."),
        };

    public static async ValueTask<CommandResult> SubscribeAsync(MailSession session, SubscribeCommand command)
    {
        if (command.Subscribe && session.Mail.Store.FindMailbox(command.Mailbox) is null) return CommandResult.NoSuchMailbox;
        await session.Mail.SetSubscribedAsync(command.Mailbox, command.Subscribe, CancellationToken.None);
        return CommandResult.Ok(command.Subscribe ? "Subscribe completed." : "Unsubscribe completed.");
    }
}
