using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>The commands about the session itself: CAPABILITY, ID, ENABLE, NAMESPACE, CHECK, LOGOUT.</summary>
internal static class SessionCommands
{
    public static ValueTask<CommandResult> CapabilityAsync(MailSession session)
    {
        Capabilities.Write(session.Output, Capabilities.Authenticated);
        return Done("Capability completed.");
    }

    public static ValueTask<CommandResult> IdAsync(MailSession session)
    {
        session.Output.Raw("* ID (\"name\" \"ImapDirector\")\r\n"u8);
        return Done("ID completed.");
    }

    public static ValueTask<CommandResult> EnableAsync(MailSession session)
    {
        // None of the capabilities offered has to be enabled; unknown ones are passed over (RFC 5161 section 3.1).
        session.Output.Raw("* ENABLED\r\n"u8);
        return Done("Enable completed.");
    }

    public static ValueTask<CommandResult> NamespaceAsync(MailSession session)
    {
        session.Output.Raw("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"u8);
        return Done("Namespace completed.");
    }

    public static ValueTask<CommandResult> CheckAsync(MailSession session) =>
        session.Selected is null ? ValueTask.FromResult(CommandResult.NoMailboxSelected) : Done("Check completed.");

    public static ValueTask<CommandResult> LogoutAsync(MailSession session)
    {
        session.LoggedOut = true;
        session.Output.Status("*", ImapStatus.Bye, "", "Logging out");
        return Done("Logout completed.");
    }

    private static ValueTask<CommandResult> Done(string text) => ValueTask.FromResult(CommandResult.Ok(text));
}
