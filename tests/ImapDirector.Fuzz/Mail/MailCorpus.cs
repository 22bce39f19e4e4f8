namespace ImapDirector.Fuzz.Mail;

/// <summary>Messages and searches as they come: the places to start from.</summary>
internal static class MailCorpus
{
    public static readonly string[] Messages =
    [
        "Subject: plain\r\n\r\ntext\r\n",
        "From: =?UTF-8?Q?J=C3=B6rg?= (comment (in a comment)) <joerg@example.com>\r\nTo: a@b, \"c, d\" <c@d>, group: e@f, g@h;\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600 (MDT)\r\n"
            + "Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\nReferences: <00@x>\r\n <0@x>\r\nSubject: Re: [list] =?iso-8859-1?B?4Q==?= fwd\r\n\r\nbody\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"a\"\r\n\r\npreamble\r\n--a\r\n\r\none\r\n--a\r\nContent-Type: text/html; charset*=us-ascii'en'utf-8\r\n"
            + "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>t=\r\nwo=3D</p>\r\n--a\r\nContent-Type: application/octet-stream; name*0=\"x\"; name*1=\"y\"\r\n"
            + "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"z\"\r\nContent-ID: <c>\r\nContent-MD5: x\r\nContent-Language: de, en\r\n"
            + "Content-Location: http://x/\r\n\r\nAAECAwQ=\r\n--a--\r\nepilogue\r\n",
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/related; boundary=b1\r\n\r\n--b1\r\n\r\nx\r\n--b1--\r\n--b\r\n\r\ny\r\n--b--\r\n",
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: innermost\r\n\r\nz\r\n--d--\r\n",
        "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n#86)C\r\n`\r\nend\r\n",
        "Subject no colon\r\n: no name\r\nX\x01Y: control\r\nTo:\r\n\tfolded\r\n \r\n\r\n\0\0\0",
        "Subject: bare line feeds\nContent-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n----\n",
        "",
    ];

    public static readonly string[] Searches =
    [
        "a SEARCH ALL\r\n",
        "a SEARCH CHARSET UTF-8 OR (UNSEEN SINCE 1-Feb-2026) NOT HEADER \"List-Id\" xy LARGER 10 2:* KEYWORD $Junk\r\n",
        "a UID SEARCH RETURN (MIN MAX COUNT PARTIAL 1:10) NEW SENTBEFORE \"01-jan-2027\" TEXT hello UID 1:*\r\n",
        "a SEARCH FROM joerg TO example CC x BCC y SUBJECT \"re: list\" BODY \"two=\"\r\n",
        "a SEARCH YOUNGER 3600 OLDER 1 SAVEDSINCE 1-Jan-2020 SAVEDON 1-Jan-2021 SMALLER 4294967295 EMAILID M1 THREADID T1\r\n",
        "a SEARCH MODSEQ \"/flags/\\\\draft\" all 1 NOT (NOT (OR SEEN (NOT DELETED)))\r\n",
        "a SEARCH $ HEADER Content-Type \"\" HEADER X \"\" 1,3:2,*\r\n",
        "a SEARCH CHARSET UTF-8 BODY {3+}\r\nt\u00c3\u00b6 TEXT \"\u00c3\u009f\"\r\n",
    ];
}
