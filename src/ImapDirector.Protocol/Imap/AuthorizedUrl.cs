using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>An IMAP URL that names a message and who may fetch it without access to its mailbox (RFC 4467 section 3):
/// <c>imap://user@server/mailbox/;UID=20/;SECTION=1.2;EXPIRE=2026-12-31T00:00:00Z;URLAUTH=user+other:INTERNAL:token</c>.</summary>
/// <param name="Rump">The URL up to the access, which is what a token vouches for.</param>
/// <param name="User">Whose mailbox it is, as the URL has it.</param>
/// <param name="Message">What it names; its mailbox is not <c>null</c>.</param>
/// <param name="Expires">When it is void, or <c>null</c>.</param>
/// <param name="Access">Who may fetch it.</param>
/// <param name="Mechanism">How the token was made, or <c>null</c> where there is none yet.</param>
/// <param name="Token">The token, or <c>null</c>.</param>
public sealed record AuthorizedUrl(string Rump, string User, MessageUrl Message, DateTimeOffset? Expires, UrlAccess Access, string? Mechanism, string? Token)
{
    /// <summary>The longest URL that is looked at, in bytes.</summary>
    public const int MaxBytes = MessageUrl.MaxBytes + 2048;

    private const string Scheme = "imap://";
    private const string AuthMark = ";URLAUTH=";
    private const string ExpireMark = ";EXPIRE=";

    private static readonly string[] MomentFormats = ["yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    /// <summary>Reads a URL, with its token or without. Which server it names is not looked at: clients know a server by names that it need not know.</summary>
    /// <param name="text">The URL.</param>
    /// <param name="url">What it says.</param>
    /// <returns><c>false</c> when it is not such a URL.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuthorizedUrl? url)
    {
        url = null;
        if (text.Length > MaxBytes || !Ascii.IsValid(text) || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return false;
        var pathStart = text.IndexOf('/', Scheme.Length);
        var mark = text.LastIndexOf(AuthMark, StringComparison.OrdinalIgnoreCase);
        if (pathStart < 0 || mark < pathStart || !TryUser(text.AsSpan(Scheme.Length..pathStart), out var user)) return false;

        var path = text[pathStart..mark];
        DateTimeOffset? expires = null;
        if (path.LastIndexOf(ExpireMark, StringComparison.OrdinalIgnoreCase) is >= 0 and var expireMark)
        {
            if (!DateTimeOffset.TryParseExact(path.AsSpan(expireMark + ExpireMark.Length), MomentFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)) return false;
            expires = moment;
            path = path[..expireMark];
        }
        var parts = text[(mark + AuthMark.Length)..].Split(':');
        if (parts.Length is not (1 or 3) || !UrlAccess.TryParse(parts[0], out var access)) return false;
        if (!MessageUrl.TryParse(path, out var message) || message.Mailbox is null) return false;
        var rump = text[..(mark + AuthMark.Length + parts[0].Length)];
        url = new AuthorizedUrl(rump, user, message, expires, access, parts.Length == 3 ? parts[1] : null, parts.Length == 3 ? parts[2] : null);
        return true;
    }

    /// <summary><c>user;AUTH=*@server:143</c>; without a user it is nobody's.</summary>
    private static bool TryUser(ReadOnlySpan<char> authority, out string user)
    {
        user = "";
        var at = authority.LastIndexOf('@');
        if (at <= 0 || at == authority.Length - 1) return false;
        var name = authority[..at];
        var auth = name.IndexOf(";AUTH=", StringComparison.OrdinalIgnoreCase);
        return MessageUrl.TryUnescape(auth < 0 ? name : name[..auth], out user) && user.Length > 0;
    }
}

/// <summary>Who may fetch a URL (RFC 4467 section 3, and the registry of RFC 5092).</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="User">Of <see cref="UrlAccessKind.User"/> and <see cref="UrlAccessKind.Submit"/>: who, as the URL has it.</param>
public readonly record struct UrlAccess(UrlAccessKind Kind, string User)
{
    internal static bool TryParse(string text, out UrlAccess access)
    {
        access = default;
        if (text.Equals("anonymous", StringComparison.OrdinalIgnoreCase)) access = new UrlAccess(UrlAccessKind.Anonymous, "");
        else if (text.Equals("authuser", StringComparison.OrdinalIgnoreCase)) access = new UrlAccess(UrlAccessKind.Authenticated, "");
        else
        {
            var isUser = text.StartsWith("user+", StringComparison.OrdinalIgnoreCase);
            if (!isUser && !text.StartsWith("submit+", StringComparison.OrdinalIgnoreCase)) return false;
            if (!MessageUrl.TryUnescape(text.AsSpan(text.IndexOf('+', StringComparison.Ordinal) + 1), out var user) || user.Length == 0) return false;
            access = new UrlAccess(isUser ? UrlAccessKind.User : UrlAccessKind.Submit, user);
        }
        return true;
    }
}

/// <summary>The kinds of <see cref="UrlAccess"/>.</summary>
public enum UrlAccessKind
{
    /// <summary>Whoever has the URL.</summary>
    Anonymous,
    /// <summary>Whoever has logged in.</summary>
    Authenticated,
    /// <summary>One user.</summary>
    User,
    /// <summary>The mail submission server, for one user.</summary>
    Submit,
}
