using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>The tokens of URLs that let others fetch a message (URLAUTH, RFC 4467). A token is an HMAC of the URL with the mailbox's key, so that it holds as
/// long as the key does, and for that URL alone.</summary>
internal static class UrlAuthorization
{
    /// <summary>The one mechanism there is.</summary>
    public const string Mechanism = "INTERNAL";

    // Tells how the token was made, should there be another way one day.
    private const string Version = "01";

    /// <summary>The URL with a token of its own.</summary>
    public static string Authorize(string rump, byte[] key) => $"{rump}:{Mechanism}:{TokenOf(rump, key)}";

    /// <summary>Finds what an authorized URL names.</summary>
    /// <returns><c>null</c> when there is no such thing, the session may not fetch it, or the token is not good: nothing tells these apart.</returns>
    public static async ValueTask<UrlContent?> FindAsync(MailSession session, string text)
    {
        if (!AuthorizedUrl.TryParse(text, out var url) || url.Token is null || !Mechanism.Equals(url.Mechanism, StringComparison.OrdinalIgnoreCase)) return null;
        if (url.Expires <= DateTimeOffset.UtcNow || !IsFor(session, url.Access) || OwnerOf(session, url) is not { } owner) return null;
        await using var access = await session.Mailboxes.FindOfOwnerAsync(owner, url.Message.Mailbox!.Value);
        if (!access.IsVisible || access.Mail.FindStatus(access.Name) is not { } mailbox) return null;
        var store = access.Mail.Store;
        return store.UrlKeys.Find(mailbox.Id) is { } key && IsGood(url, key) ? UrlContent.Find(store, mailbox.Id, mailbox.UidValidity, url.Message) : null;
    }

    /// <summary>Whose mailbox a URL names; without a domain it is one of the session's own.</summary>
    public static UserName? OwnerOf(MailSession session, AuthorizedUrl url) => NameOf(session, url.User);

    private static bool IsFor(MailSession session, UrlAccess access) => access.Kind switch
    {
        UrlAccessKind.Anonymous or UrlAccessKind.Authenticated => true,
        UrlAccessKind.User => NameOf(session, access.User) == session.Mailboxes.User,
        // Who submits says for whom it does (RFC 4467 section 3): it is trusted as far as that.
        UrlAccessKind.Submit => session.Options.FindSubmitUser() == session.Mailboxes.User,
        _ => false,
    };

    private static UserName? NameOf(MailSession session, string name)
    {
        var own = session.Mailboxes.User.Value;
        var at = own.IndexOf('@', StringComparison.Ordinal);
        return UserName.TryCreate(name, at < 0 ? null : own[(at + 1)..], out var user) ? user : null;
    }

    private static bool IsGood(AuthorizedUrl url, byte[] key) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(TokenOf(url.Rump, key)), Encoding.ASCII.GetBytes(url.Token!.ToLowerInvariant()));

    private static string TokenOf(string rump, byte[] key) => Version + Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(rump)));
}
