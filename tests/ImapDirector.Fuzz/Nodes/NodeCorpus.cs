namespace ImapDirector.Fuzz.Nodes;

/// <summary>What nodes, and those who pass themselves off as one, say to a director that logs somebody in. The first letter is the mode: see <see cref="NodeMode"/>. At each 0xFE
/// the director is heard first; behind 0xFD TLS begins.</summary>
internal static class NodeCorpus
{
    private const string Greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready\r\n";

    public static readonly IReadOnlyList<string> Dialogues =
    [
        $"0{Greeting}\u00feD1 OK\r\nD2 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n",
        $"0{Greeting}\u00fe* ID (\"name\" \"Dovecot\")\r\nD1 OK ID\r\nD2 NO [UNAVAILABLE] later\r\n",
        "0* OK ready\r\n\u00fe* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nD1 OK\r\n\u00fe+ \r\n\u00fe* CAPABILITY IMAP4rev1 MOVE\r\nD2 OK in\r\n",
        "0* OK ready\r\n\u00fe* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nD1 OK\r\n\u00feD2 OK in\r\n\u00fe* CAPABILITY IMAP4rev1 IDLE\r\nD3 OK\r\n* 3 EXISTS\r\n",
        "2* OK [CAPABILITY IMAP4rev1] ready\r\n\u00fe+ go on\r\n\u00fe+ go on\r\n\u00feD1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n",
        $"2{Greeting}\u00feD1 OK\r\nD2 NO [REFERRAL imap://alice@other.example:993/] there\r\n",
        $"0{Greeting}\u00feD1 OK\r\nD2 NO [REFERRAL imap://%61lice;AUTH=*@[2001:db8::1]/] there\r\n",
        "2* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n", "2* OK [CAPABILITY IMAP4rev1] LOGINDISABLED\r\n", "2* OK [CAPABILITY] ready\r\n", "0* PREAUTH [CAPABILITY IMAP4rev1] in\r\n", "0* BYE [UNAVAILABLE] later\r\n", "0* OK {3}\r\nabc\r\n",
        "4* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=OAUTHBEARER AUTH=PLAIN] ready\r\n\u00feD1 OK\r\nD2 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n",
        $"4{Greeting}\u00feD1 OK\r\nD2 OK in\r\n",
        "0* OK ready\r\n" + string.Concat(Enumerable.Repeat("* NO busy\r\n", 24)) + "D1 OK\r\n",
        "0* OK " + new string('x', 5000) + "\r\n",
    ];

    public static readonly IReadOnlyList<string> Transitions =
    [
        $"1{Greeting}\u00feD1 OK begin\r\n\u00fd* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\nD2 OK\r\n\u00feD3 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n",
        "3* OK ready\r\n\u00feD1 OK begin\r\n\u00fd* CAPABILITY IMAP4rev1\r\nD2 OK\r\n\u00fe+ \r\n\u00fe+ \r\n\u00feD3 OK [CAPABILITY IMAP4rev1] in\r\n",
        $"1{Greeting}\u00feD1 OK begin\r\n* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\nD2 OK\r\nD3 OK in\r\n\u00fdD2 OK\r\n",
        $"1{Greeting}\u00feD1 OK begin\r\nD2 OK\r\n", $"1{Greeting}\u00feD1 NO not here\r\n", $"1{Greeting}\u00feD1 BAD\r\n", $"1{Greeting}\u00fe* BYE\r\n", $"3{Greeting}\u00fe+ \r\n",
        $"5{Greeting}\u00feD1 OK begin\r\n\u00fd* CAPABILITY IMAP4rev1 SASL-IR ID AUTH=OAUTHBEARER\r\nD2 OK\r\n\u00feD3 OK\r\nD4 OK [CAPABILITY IMAP4rev1] in\r\n",
        $"1* OK [CAPABILITY STARTTLS AUTH=PLAIN] x\r\n\u00feD1 OK\r\n\u00fd* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nD2 OK\r\n",
    ];

    /// <summary>Words of nodes, besides those of every parser.</summary>
    public static readonly IReadOnlyList<string> Words =
    [
        "\u00fe", "\u00fd", Greeting, "* OK ", "* CAPABILITY IMAP4rev1 ", "AUTH=PLAIN ", "AUTH=OAUTHBEARER ", "SASL-IR ", "ID ", "LOGINDISABLED ", "STARTTLS ", "[CAPABILITY ", "[REFERRAL imap://", "alice@", "]", "+ \r\n", "+ go on\r\n",
        "D1 OK\r\n", "D2 OK\r\n", "D3 OK\r\n", "D1 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n", "D1 NO ", "D2 NO ", "D1 BAD ", "* PREAUTH ", "* BYE ", "[UNAVAILABLE] ", "RIGHTS=", "COMPRESS=DEFLATE ",
    ];
}
