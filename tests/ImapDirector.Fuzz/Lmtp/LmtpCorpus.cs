namespace ImapDirector.Fuzz.Lmtp;

/// <summary>What well-behaved senders and load balancers send: the places to start from.</summary>
internal static class LmtpCorpus
{
    public static readonly string[] Commands =
    [
        "LHLO mx.example.net",
        "LHLO [IPv6:2001:db8::1]",
        "MAIL FROM:<>",
        "MAIL FROM:<sender@example.net> SIZE=12345 BODY=8BITMIME SMTPUTF8",
        "MAIL FROM:<> RET=HDRS ENVID=QQ+2B314",
        "RCPT TO:<alice@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob+40@example.com",
        "BDAT 12345 LAST",
        "MAIL FROM:<\"odd \\\" one\"@example.net> BODY=7BIT",
        "MAIL FROM:<@relay.example,@other.example:joe@example.net>",
        "MAIL FROM:<d\u00c3\u00b6ner@b\u00c3\u00bccher.example> SMTPUTF8",
        "RCPT TO:<alice@example.com>",
        "RCPT TO:<\"\"@example.com>",
        "RCPT TO:<postmaster>",
        "RCPT TO:<alice@[192.0.2.1]>",
        "DATA",
        "RSET",
        "NOOP anything",
        "VRFY alice",
        "QUIT",
    ];

    public static readonly string[] Sessions =
    [
        "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
        "a\r\n.\r\nNOOP\r\n",
        "a\n.\nb\r.\rc\r\n.\nd\r\n.\r\nQUIT\r\n",
        "..\r\n...\r\n.\r\n",
    ];

    public static readonly string[] ProxyHeaders =
    [
        "PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\r\na1 NOOP\r\n",
        "PROXY TCP6 2001:db8::1 2001:db8::2 7 143\r\n",
        "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
        "\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000f\u00c0\0\u0002\u0001\u00c6\u0033\u0064\u0007\u009c\u0040\u0003\u00e1\u0004\0\0a1 NOOP\r\n",
        "\r\n\r\n\0\r\nQUIT\n\u0020\0\0\0",
        "\r\n\r\n\0\r\nQUIT\n\u0021\u0021\0\u0024" + "0123456789abcdef0123456789abcdef\0\u0007\0\u008f",
    ];
}
