using System.Text;

namespace ImapDirector.Fuzz.Login;

/// <summary>Sessions before and around a login. The first letter is the mode: see <see cref="LoginMode"/>.</summary>
internal static class LoginCorpus
{
    private const string Password = Secrets.OfUser;

    private static readonly string Plain = Base64($"\0alice\0{Password}");

    public static readonly IReadOnlyList<string> Sessions =
    [
        $"1a1 CAPABILITY\r\na2 LOGIN alice \"{Password}\"\r\na3 SELECT INBOX\r\na4 NOOP\r\n",
        $"1a LOGIN {{5}}\r\nalice {{13}}\r\n{Password}\r\nb LIST \"\" *\r\n",
        $"1a LOGIN {{5+}}\r\nalice {{13+}}\r\n{Password}\r\u00fe\n\u00feb NOOP\r\n",
        $"1a LOGIN alice@example.com \"{Password}\"\r\n",
        $"1a AUTHENTICATE PLAIN {Plain}\r\nb IDLE\r\nDONE\r\n",
        $"1a AUTHENTICATE PLAIN\r\n{Plain}\r\nb APPEND INBOX {{3+}}\r\nabc\r\n",
        $"1a AUTHENTICATE LOGIN\r\n{Base64("alice")}\r\n{Base64(Password)}\r\nc NOOP\r\n",
        $"1a AUTHENTICATE LOGIN {Base64("alice")}\r\n\u00fe{Base64(Password)}\r\n\u00fec NOOP\r\n",
        $"1a AUTHENTICATE PLAIN {Base64($"bob\0alice\0{Password}")}\r\n",
        $"1a AUTHENTICATE PLAIN {Base64($"alice\0chief\0{Secrets.OfChief}")}\r\nb NOOP\r\n",
        $"1a LOGIN alice*chief \"{Secrets.OfChief}\"\r\nb NOOP\r\n",
        $"1a AUTHENTICATE SCRAM-SHA-256 {Base64("n,a=alice,n=chief,r=abc")}\r\n*\r\nb AUTHENTICATE PLAIN {Base64($"\0alice*chief\0{Secrets.OfUser}")}\r\n",
        $"1a LOGIN bob \"{Password}\"\r\nb LOGIN alice x\r\nc LOGIN mallory y\r\nd NOOP\r\n",
        $"1a AUTHENTICATE SCRAM-SHA-256 {Base64("n,,n=alice@example.com,r=fyko+d2lbbFgONRv9qkxdawL")}\r\n{Base64("c=biws,r=x,p=AAAA")}\r\n",
        $"1a AUTHENTICATE SCRAM-SHA-256\r\n{Base64("n,,n=nobody,r=abc")}\r\n*\r\nb AUTHENTICATE PLAIN =\r\n",
        "1a AUTHENTICATE PLAIN\r\n*\r\nb AUTHENTICATE CRAM-MD5\r\nc AUTHENTICATE EXTERNAL =\r\n",
        $"0a LOGIN alice \"{Password}\"\r\nb AUTHENTICATE PLAIN {Plain}\r\nc CAPABILITY\r\n",
        "1a ID (\"name\" \"client\" \"version\" \"1\" \"os\" NIL)\r\nb ID NIL\r\nc NOOP\r\nd ENABLE IMAP4rev2\r\n",
        $"3PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\r\na LOGIN alice \"{Password}\"\r\nb NOOP\r\n",
        "2PROXY UNKNOWN\r\na LOGIN alice x\r\n",
        "3\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000c\u00c6\u0033\u0064\u0007\u00c0\0\u0002\u0001\u009c\u0040\u0003\u00e1a1 NOOP\r\n",
        $"5a ID (\"x-originating-ip\" \"192.0.2.9\" \"x-originating-port\" \"7\" \"x-connected-ip\" \"192.0.2.10\" \"x-connected-port\" \"993\" \"x-session-id\" \"abc\" \"x-proxy-ttl\" \"3\")\r\nb LOGIN alice \"{Password}\"\r\n",
        "5a ID (\"x-proxy-ttl\" \"1\")\r\nb LOGIN alice x\r\n",
        // A password in base64 is a name like another.
        $"1a LOGIN {Base64(Password).TrimEnd('=')} x\r\n",
        "1a LOGOUT\r\nb NOOP\r\n", "1\r\n\r\n\r\n\r\n", "1a SELECT INBOX\r\nb LOGIN {1025}\r\nc LOGIN {2000+}\r\n", "1a STARTTLS\r\nb NOOP\r\n", "1a NOOP\nb NOOP\r\n", "1" + new string('x', 9000) + "\r\n",
    ];

    /// <summary>With a handshake where there is 0xFD.</summary>
    public static readonly IReadOnlyList<string> Transitions =
    [
        $"0a STARTTLS\r\n\u00fdb LOGIN alice \"{Password}\"\r\nc NOOP\r\n",
        $"8a STARTTLS\r\n\u00fdb AUTHENTICATE PLAIN {Plain}\r\n\u00fec NOOP\r\n",
        $"0a STARTTLS\r\nb LOGIN alice \"{Password}\"\r\n\u00fdc NOOP\r\n",
        $"1a LOGIN alice \u00fe{{13+}}\r\n{Password}\r\nb STARTTLS\r\n\u00fdc NOOP\r\n",
        "0a STARTTLS\r\nb LOGIN {5+}\r\n\u00fdalice x\r\nc NOOP\r\n",
        "8a STARTTLS\r\nb AUTHENTICATE PLAIN\r\n\u00fd=\r\nc NOOP\r\n",
        "0a CAPABILITY\r\nb STARTTLS\r\n\u00fdc STARTTLS\r\nd CAPABILITY\r\ne LOGOUT\r\n",
        $"4a ID (\"x-originating-ip\" \"192.0.2.9\" \"x-session-id\" \"abc\")\r\nb STARTTLS\r\n\u00fdc LOGIN alice \"{Password}\"\r\n",
        $"2PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\r\na STARTTLS\r\n\u00fdb LOGIN alice \"{Password}\"\r\n",
        "0a LOGIN alice x\r\nb STARTTLS\r\n\u0016\u0003\u0001\0\u0005\u0001\0\0\u0001\0\u00fdc NOOP\r\n",
        $"0a STARTTLS\r\n\u00fd\u00feb AUTHENTICATE SCRAM-SHA-256-PLUS {Base64("p=tls-exporter,,n=alice,r=abc")}\r\n*\r\nc AUTHENTICATE SCRAM-SHA-256 {Base64("y,,n=alice,r=abc")}\r\n=\r\n",
        "0a STARTTLS x\r\nb STARTTLS\r\n\u00fdx\r\ny\r\nz\r\nc NOOP\r\n",
    ];

    /// <summary>Words of the dialogue, besides those of every parser.</summary>
    public static readonly IReadOnlyList<string> Words =
    [
        "\u00fe", "\u00fd", "a ", "LOGIN alice ", $"\"{Password}\"", $"{{13+}}\r\n{Password}", "AUTHENTICATE ", "PLAIN ", "LOGIN ", "SCRAM-SHA-256 ", "SCRAM-SHA-256-PLUS ", Plain, Base64("alice"), Base64(Password),
        "alice*chief ", $"\"{Secrets.OfChief}\"", "STARTTLS\r\n", "b STARTTLS\r\n", "CAPABILITY\r\n", "NOOP\r\n", "LOGOUT\r\n", "ID (", "ID NIL\r\n", "\"x-originating-ip\" ", "\"x-proxy-ttl\" \"1\"", "\"x-session-id\" ", "127.0.0.1", "*\r\n", "=\r\n", "PROXY TCP4 ", "PROXY UNKNOWN\r\n",
        "\r\n\r\n\0\r\nQUIT\n", "\u0016\u0003\u0001",
    ];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.Latin1.GetBytes(text));
}
