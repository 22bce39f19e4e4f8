using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>GENURLAUTH, URLFETCH and RESETKEY (RFC 4467 section 7).</summary>
internal static class UrlAuthHandler
{
    private static readonly CommandResult UnknownMechanism = CommandResult.Bad("INTERNAL is the only mechanism.");

    private static readonly CommandResult NotAUrl = CommandResult.Bad("A URL that names a message and who may fetch it, without a token, is needed.");

    private static readonly CommandResult NotOnesOwn = CommandResult.No("CANNOT", "URLs can be made of the user's own mailboxes.");

    public static async ValueTask<CommandResult> GenerateAsync(MailSession session, GenUrlAuthCommand command)
    {
        var authorized = new List<string>();
        foreach (var (rump, mechanism) in command.Urls)
        {
            if (mechanism != UrlAuthorization.Mechanism) return UnknownMechanism;
            if (!AuthorizedUrl.TryParse(rump, out var url) || url.Token is not null) return NotAUrl;
            if (UrlAuthorization.OwnerOf(session, url) != session.Mailboxes.User) return NotOnesOwn;
            await using var access = await session.Mailboxes.FindAsync(url.Message.Mailbox!.Value);
            if (!access.IsOwn) return NotOnesOwn;
            if (access.Mail.FindStatus(access.Name) is not { } mailbox) return CommandResult.NoSuchMailbox;
            session.Turns.Pause();
            authorized.Add(UrlAuthorization.Authorize(rump, await access.Mail.Store.UrlKeys.GetAsync(mailbox.Id, CancellationToken.None)));
        }
        session.Output.Raw("* GENURLAUTH"u8);
        foreach (var url in authorized) Write(session.Output, url);
        session.Output.EndLine();
        return CommandResult.Ok("Genurlauth completed.");
    }

    public static async ValueTask<CommandResult> FetchAsync(MailSession session, UrlFetchCommand command)
    {
        var output = session.Output;
        output.Raw("* URLFETCH"u8);
        foreach (var url in command.Urls)
        {
            Write(output, url);
            await session.Turns.NextAsync();
            await using var content = await FindAsync(session, url);
            if (content is null)
            {
                output.Raw(" NIL"u8);
                continue;
            }
            output.Raw(" "u8);
            output.LiteralHeader(content.Length);
            output.InLiteral = true;
            await content.CopyAsync(async (bytes, _) =>
            {
                output.Raw(bytes.Span);
                await output.FlushIfLargeAsync();
            }, CancellationToken.None);
            output.InLiteral = false;
        }
        output.EndLine();
        return CommandResult.Ok("Urlfetch completed.");
    }

    public static async ValueTask<CommandResult> ResetAsync(MailSession session, ResetKeyCommand command)
    {
        if (command.Mechanisms.Any(static mechanism => mechanism != UrlAuthorization.Mechanism)) return UnknownMechanism;
        if (command.Mailbox is not { } name)
        {
            session.Turns.Pause();
            await session.Mail.Store.UrlKeys.ResetAllAsync(CancellationToken.None);
            return CommandResult.Ok("All keys removed.");
        }
        await using var access = await session.Mailboxes.FindAsync(name);
        if (access.Refuses(MailboxRights.Lookup) is { } refused) return refused;
        if (!access.IsOwn) return NotOnesOwn;
        if (access.Mail.FindStatus(access.Name) is not { } mailbox) return CommandResult.NoSuchMailbox;
        session.Turns.Pause();
        await access.Mail.Store.UrlKeys.ResetAsync(mailbox.Id, CancellationToken.None);
        return CommandResult.Ok("Resetkey completed.", "URLMECH " + UrlAuthorization.Mechanism);
    }

    /// <summary>A mailbox that cannot be read gives nothing; the answer has begun.</summary>
    private static async ValueTask<UrlContent?> FindAsync(MailSession session, string url)
    {
        try
        {
            return await UrlAuthorization.FindAsync(session, url);
        }
        catch (StoreException)
        {
            return null;
        }
    }

    private static void Write(ResponseStream output, string url)
    {
        output.Raw(" "u8);
        output.String(Encoding.ASCII.GetBytes(url));
    }
}
