using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of GENURLAUTH, URLFETCH and RESETKEY (RFC 4467 section 9).</summary>
internal static class UrlArguments
{
    // Each may open another user's mail.
    private const int MaxUrls = 100;

    private const int MaxMechanisms = 10;

    public static GenUrlAuthCommand? GenUrlAuth(ref ImapLexer lexer, string tag)
    {
        var urls = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        do
        {
            if (!Url(ref lexer, urls.Count, out var url) || !Mechanism(ref lexer, out var mechanism)) return null;
            urls.Add(KeyValuePair.Create(url, mechanism));
        }
        while (lexer.Peek == ' ');
        return new GenUrlAuthCommand(tag, urls.DrainToImmutable());
    }

    public static UrlFetchCommand? UrlFetch(ref ImapLexer lexer, string tag)
    {
        var urls = ImmutableArray.CreateBuilder<string>();
        do
        {
            if (!Url(ref lexer, urls.Count, out var url)) return null;
            urls.Add(url);
        }
        while (lexer.Peek == ' ');
        return new UrlFetchCommand(tag, urls.DrainToImmutable());
    }

    public static ResetKeyCommand? ResetKey(ref ImapLexer lexer, string tag)
    {
        if (lexer.Peek != ' ') return new ResetKeyCommand(tag, null, []);
        if (!MailboxArguments.Of(ref lexer, out var mailbox)) return null;
        var mechanisms = ImmutableArray.CreateBuilder<string>();
        while (lexer.Peek == ' ')
        {
            if (mechanisms.Count == MaxMechanisms)
            {
                lexer.Fail("Too many mechanisms");
                return null;
            }
            if (!Mechanism(ref lexer, out var mechanism)) return null;
            mechanisms.Add(mechanism);
        }
        return new ResetKeyCommand(tag, mailbox, mechanisms.DrainToImmutable());
    }

    private static bool Url(ref ImapLexer lexer, int before, out string url)
    {
        url = "";
        if (before == MaxUrls) return lexer.Fail("Too many URLs");
        if (!lexer.Space() || !lexer.AString(out var bytes)) return false;
        if (bytes.Length > AuthorizedUrl.MaxBytes) return lexer.Fail("Too long a URL");
        if (!Ascii.IsValid(bytes) || bytes.ContainsAnyInRange((byte)0, (byte)0x1f)) return lexer.Fail("A URL is of ASCII characters");
        url = Encoding.ASCII.GetString(bytes);
        return true;
    }

    private static bool Mechanism(ref ImapLexer lexer, out string mechanism)
    {
        mechanism = "";
        if (!lexer.Space() || !lexer.Atom(out var name)) return false;
        mechanism = Encoding.ASCII.GetString(name).ToUpperInvariant();
        return true;
    }
}
