namespace ImapDirector.Fuzz.Imap;

/// <summary>What well-behaved clients and backends send: the places to start from.</summary>
internal static class ImapCorpus
{
    public static readonly string[] Commands =
    [
        "a1 CAPABILITY\r\n",
        "a2 LOGIN joe \"se\\\"cret\"\r\n",
        "a3 LOGIN {3+}\r\njoe {6+}\r\nsecret\r\n",
        "a4 AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n",
        "a5 ID (\"name\" \"client\" \"x-originating-ip\" \"192.0.2.1\" \"os\" NIL)\r\n",
        "a6 ENABLE IMAP4rev2 UTF8=ACCEPT\r\n",
        "a7 SELECT \"Entw&APw-rfe\"\r\n",
        "a8 CREATE Archive/2026/ (USE (\\Archive))\r\n",
        "a9 RENAME {5+}\r\nINBOX old/INBOX\r\n",
        "b1 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"*\" Sent/%) RETURN (CHILDREN STATUS (MESSAGES UNSEEN SIZE) SPECIAL-USE)\r\n",
        "b2 LSUB \"\" *\r\n",
        "b3 STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)\r\n",
        "b4 APPEND Sent (\\Seen $Forwarded) \" 7-Jul-2026 02:44:25 -0700\" {12+}\r\nSubject: x\r\n\r\n",
        "b6 APPEND Sent CATENATE (URL \"/INBOX/;UID=1/;SECTION=1\" TEXT {4+}\r\nabcd URL {1+}\r\na UTF8 (~{1+}\r\nx)) CATENATE (URL /a) {1+}\r\ny\r\n",
        "b7 UID REPLACE 7 Drafts (\\Draft) CATENATE (URL /a URL /b)\r\n",
        "b5 APPEND {4+}\r\nSent ~{2}\r\n",
        "b6 UID EXPUNGE 1:5,7,9:*\r\n",
        "b7 SEARCH CHARSET UTF-8 OR (UNSEEN SINCE 1-Feb-2026) NOT HEADER \"List-Id\" {2+}\r\nxy LARGER 1000 2:* KEYWORD $Junk\r\n",
        "b8 UID SEARCH NEW SENTBEFORE \"01-jan-2027\" TEXT hello UID 1:*\r\n",
        "b9 FETCH 1:*,5 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)\r\n",
        "c1 UID FETCH 42 (BODY.PEEK[1.2.MIME]<0.512> BODY[HEADER.FIELDS (From To Subject)] BODY[3.TEXT])\r\n",
        "c2 STORE 2:4 +FLAGS.SILENT (\\Deleted \\Seen kw1 kw2)\r\n",
        "c3 UID MOVE 1,2,3 Trash\r\n",
        "c4 IDLE\r\n",
        "c5 NOOP\r\nc6 NOOP\r\n",
    ];

    public static readonly string[] Names =
    [
        "INBOX", "inbox/kid", "Entw&APw-rfe", "R&-D", "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "&2D3cBw-", "a/b/c/d/e/f", "caf\u00c3\u00a9", "..", "x/",
    ];

    /// <summary>What stands between the literals of APPEND, and behind the last.</summary>
    public static readonly string[] Rests =
    [
        "", ")", " (\\Seen) \" 7-Jul-2026 02:44:25 -0700\" {12+}\r\n", ") UTF8 (~{2}\r\n", " URL /INBOX/;UID=1 URL \"/a b\" TEXT {4}\r\n", " URL {4+}\r\n",
        " UTF8 (~{1+}\r\n", ") CATENATE (URL /a) (\\Seen) CATENATE (URL \"/b\")",
    ];

    /// <summary>URLs of CATENATE.</summary>
    public static readonly string[] Urls =
    [
        "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER", "/Entw%C3%BCrfe/;UID=1/;SECTION=1.2.HEADER.FIELDS%20(From%20To)/;PARTIAL=0.1024", ";UID=7/;PARTIAL=9",
        "imap://joe;AUTH=*@example.com:143/INBOX;UIDVALIDITY=9/;uid=20/;section=1.2;EXPIRE=2026-12-31T00:00:00Z;urlauth=submit+fred:internal:91354a473744909d",
    ];

    public static readonly string[] Responses =
    [
        "* OK [CAPABILITY IMAP4rev1 IDLE] Dovecot ready.\r\n",
        "* PREAUTH welcome\r\n",
        "* BYE [UNAVAILABLE] later\r\n",
        "* CAPABILITY IMAP4rev1 SASL-IR LITERAL+\r\n",
        "+ \r\n",
        "A1 OK [CAPABILITY IMAP4rev2] Logged in\r\n",
        "A1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
        "A1 NO [REFERRAL imap://joe@other/] Go there\r\n",
        "* ID (\"name\" \"Dovecot\")\r\n",
    ];
}
