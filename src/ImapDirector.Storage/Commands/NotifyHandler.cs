using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>NOTIFY (RFC 5465): from now on the client is told of what it asks for, also between its commands. Of other users' mailboxes only the one that is
/// selected is told of.</summary>
internal static class NotifyHandler
{
    private static readonly CommandResult UnknownEvent = CommandResult.No(
        "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)", "There is an event that is not known here.");

    public static async ValueTask<CommandResult> RunAsync(MailSession session, NotifyCommand command)
    {
        // What was asked for before stays when this is refused (RFC 5465 section 3.1).
        if (command.Groups.Any(static group => (group.Events & NotifyEvents.Unknown) != 0)) return UnknownEvent;
        var notices = session.Notify(command.Groups);
        if (command.WithStatus && notices is not null) await notices.TellStatusAsync();
        return CommandResult.Ok("Notify completed.");
    }
}
