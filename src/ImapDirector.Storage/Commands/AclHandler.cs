using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 section 3). A mailbox's owner has all rights always, and they cannot be changed.</summary>
internal static class AclHandler
{
    private static readonly CommandResult NoSuchIdentifier = CommandResult.No("CANNOT", "An identifier is a user's name, or \"anyone\".");

    private static readonly CommandResult OwnersRights = CommandResult.No("CANNOT", "The owner has all rights, always.");

    public static async ValueTask<CommandResult> SetAsync(MailSession session, SetAclCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (Find(access, MailboxRights.Administer, out var mailbox) is { } refused) return refused;
        if (!AccessIdentifier.TryCreate(command.Identifier, out var identifier)) return NoSuchIdentifier;
        if (identifier.IsFor(access.Mail.Store.User)) return OwnersRights;
        var gives = !identifier.IsNegative && command.Rights != MailboxRights.None && command.Change != false;
        if (identifier.IsAnyone && gives && !session.Mailboxes.MayGiveToAnyone(access.Mail.Store.User))
            return CommandResult.No("NOPERM", "Rights can be given to users, and not to everybody.");
        try
        {
            session.Turns.Pause();
            await access.Mail.ChangeAccessAsync(mailbox.Id, identifier, before => command.Change switch
            {
                true => before | command.Rights,
                false => before & ~command.Rights,
                null => command.Rights,
            });
            return CommandResult.Ok("Setacl completed.");
        }
        catch (TooManyEntriesException)
        {
            return CommandResult.No("LIMIT", "The access list has too many entries.");
        }
    }

    public static async ValueTask<CommandResult> DeleteAsync(MailSession session, DeleteAclCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (Find(access, MailboxRights.Administer, out var mailbox) is { } refused) return refused;
        if (!AccessIdentifier.TryCreate(command.Identifier, out var identifier)) return NoSuchIdentifier;
        if (identifier.IsFor(access.Mail.Store.User)) return OwnersRights;
        session.Turns.Pause();
        await access.Mail.ChangeAccessAsync(mailbox.Id, identifier, static _ => MailboxRights.None);
        return CommandResult.Ok("Deleteacl completed.");
    }

    public static async ValueTask<CommandResult> GetAsync(MailSession session, GetAclCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (Find(access, MailboxRights.Administer, out var mailbox) is { } refused) return refused;
        var output = session.Output;
        output.Raw("* ACL "u8);
        output.Mailbox(command.Mailbox, session.Enabled.Utf8Names);
        WriteEntry(output, access.Mail.Store.User.Value, MailboxRights.All);
        foreach (var (identifier, rights) in access.Mail.Store.Access.Find(mailbox.Id).Entries) WriteEntry(output, identifier.Value, rights);
        output.EndLine();
        return CommandResult.Ok("Getacl completed.");
    }

    public static async ValueTask<CommandResult> ListRightsAsync(MailSession session, ListRightsCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (Find(access, MailboxRights.Administer, out _) is { } refused) return refused;
        if (!AccessIdentifier.TryCreate(command.Identifier, out var identifier)) return NoSuchIdentifier;
        var output = session.Output;
        output.Raw("* LISTRIGHTS "u8);
        output.Mailbox(command.Mailbox, session.Enabled.Utf8Names);
        output.Raw(" "u8);
        output.AString(Encoding.ASCII.GetBytes(identifier.Value));
        if (identifier.IsFor(access.Mail.Store.User) && !identifier.IsNegative)
        {
            output.Raw(" "u8);
            output.AString(Encoding.ASCII.GetBytes(RightsText.ForClients(MailboxRights.All)));
        }
        else
        {
            // Nothing comes of itself, and each right can be given alone.
            output.Raw(" \"\""u8);
            foreach (var letter in RightsText.ForClients(MailboxRights.All)) output.Raw([(byte)' ', (byte)letter]);
        }
        output.EndLine();
        return CommandResult.Ok("Listrights completed.");
    }

    public static async ValueTask<CommandResult> MyRightsAsync(MailSession session, MyRightsCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (Find(access, MailboxRights.Lookup, out _) is { } refused) return refused;
        WriteMyRights(session, command.Mailbox, access.Rights);
        return CommandResult.Ok("Myrights completed.");
    }

    /// <summary>Writes the response, for LIST as well (RFC 8440).</summary>
    public static void WriteMyRights(MailSession session, MailboxName mailbox, MailboxRights rights)
    {
        session.Output.Raw("* MYRIGHTS "u8);
        session.Output.Mailbox(mailbox, session.Enabled.Utf8Names);
        session.Output.Raw(" "u8);
        session.Output.AString(Encoding.ASCII.GetBytes(RightsText.ForClients(rights)));
        session.Output.EndLine();
    }

    private static CommandResult? Find(MailboxAccess access, MailboxRights needed, out MailboxRecord mailbox)
    {
        mailbox = null!;
        if (access.Refuses(needed) is { } refused) return refused;
        if (access.Mail.Store.FindMailbox(access.Name) is not { } found) return CommandResult.NoSuchMailbox;
        mailbox = found;
        return null;
    }

    private static void WriteEntry(ResponseStream output, string identifier, MailboxRights rights)
    {
        output.Raw(" "u8);
        output.AString(Encoding.ASCII.GetBytes(identifier));
        output.Raw(" "u8);
        output.AString(Encoding.ASCII.GetBytes(RightsText.ForClients(rights)));
    }
}
