using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>The commands about the session itself: CAPABILITY, ID, ENABLE, NAMESPACE, CHECK, LOGOUT.</summary>
internal static class SessionCommands
{
    public static ValueTask<CommandResult> CapabilityAsync(MailSession session)
    {
        Capabilities.Write(session.Output, Capabilities.Authenticated(session.Options));
        return Done("Capability completed.");
    }

    public static ValueTask<CommandResult> IdAsync(MailSession session)
    {
        session.Output.Raw("* ID (\"name\" \"ImapDirector\")\r\n"u8);
        return Done("ID completed.");
    }

    /// <summary>Answers with what this command has switched on; unknown names are passed over (RFC 5161 section 3.1).</summary>
    public static ValueTask<CommandResult> EnableAsync(MailSession session, EnableCommand command)
    {
        var (enabled, output) = (session.Enabled, session.Output);
        var switchedOn = new List<string>();
        foreach (var name in command.Capabilities)
        {
            switch (name)
            {
                case "CONDSTORE" when !enabled.CondStore:
                    session.EnableCondStore();
                    switchedOn.Add(name);
                    break;
                case "QRESYNC" when !enabled.QResync:
                    session.EnableCondStore();
                    enabled.QResync = true;
                    switchedOn.Add(name);
                    break;
                case "IMAP4REV2" when !enabled.Imap4Rev2:
                    enabled.Imap4Rev2 = true;
                    switchedOn.Add("IMAP4rev2");
                    break;
                case "UIDONLY" when !enabled.UidOnly:
                    enabled.UidOnly = true;
                    switchedOn.Add(name);
                    break;
                case "UTF8=ACCEPT" when !enabled.Utf8Accept:
                    enabled.Utf8Accept = true;
                    switchedOn.Add(name);
                    break;
            }
        }
        output.Raw("* ENABLED"u8);
        foreach (var name in switchedOn)
        {
            output.Raw(" "u8);
            output.Raw(Encoding.ASCII.GetBytes(name));
        }
        output.EndLine();
        return Done("Enable completed.");
    }

    public static ValueTask<CommandResult> NamespaceAsync(MailSession session)
    {
        session.Output.Raw("* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) "u8);
        session.Output.Raw(session.Mailboxes.Namespaces.HasShared ? "((\"Shared Folders/\" \"/\"))\r\n"u8 : "NIL\r\n"u8);
        return Done("Namespace completed.");
    }

    /// <summary>Both sides compress from behind the answer on (RFC 4978); once, since compressing twice gains nothing (limits N14).</summary>
    public static ValueTask<CommandResult> CompressAsync(MailSession session, CompressCommand command)
    {
        if (command.Mechanism != "DEFLATE") return ValueTask.FromResult(CommandResult.Bad("Unknown mechanism."));
        if (!session.Options.OffersCompression) return ValueTask.FromResult(CommandResult.No("CANNOT", "Compression is switched off."));
        if (session.IsCompressed) return ValueTask.FromResult(CommandResult.No("COMPRESSIONACTIVE", "Compression is active."));
        return ValueTask.FromResult(CommandResult.Ok("Compression begins.") with { StartsCompression = true });
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
