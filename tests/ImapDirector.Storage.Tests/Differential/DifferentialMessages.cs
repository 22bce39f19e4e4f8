using System.Text;

namespace ImapDirector.Storage.Tests.Differential;

/// <summary>The messages that scripts put in, and what goes with them.</summary>
internal static class DifferentialMessages
{
    public const string Plain = "Date: Mon, 5 Mar 2024 23:30:00 -0800\r\nFrom: Ann B <ann@example.com>\r\nTo: Bob <bob@example.org>\r\nSubject: Weekly report\r\n"
        + "Message-ID: <1@example.com>\r\n\r\nThe figures are good.\r\n";

    private const string Encoded = "Date: Wed, 7 Mar 2024 10:00:00 +0000\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nTo: zoe@example.org\r\nCc: Carl <carl@example.net>\r\n"
        + "Bcc: dora@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <2@example.com>\r\nX-Special: a value\r\nMIME-Version: 1.0\r\n"
        + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ndeco=\r\nded text =3D\r\n";

    private const string Multipart = "Date: Tue, 6 Mar 2024 09:00:00 +0000\r\nFrom: ann@example.com\r\nSubject: [list] Fwd: papers\r\nMessage-ID: <3@example.com>\r\nMIME-Version: 1.0\r\n"
        + "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n"
        + "--b\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDREVG\r\n--b--\r\nepilogue\r\n";

    private const string Nested = "Date: Thu, 8 Mar 2024 12:00:00 +0100\r\nFrom: Bob <bob@example.org>\r\nTo: ann@example.com\r\nSubject: Re: Weekly report\r\nMessage-ID: <4@example.com>\r\n"
        + "References: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
        + "--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: inner@example.com\r\nSubject: inside\r\n\r\ninner text\r\n--x--\r\n";

    private const string Bare = "From: carl@example.net\r\nSubject: RE: weekly Report\r\nIn-Reply-To: <4@example.com>\r\n\r\nyes\r\n";

    /// <summary>Arguments of APPEND, and the message.</summary>
    public static readonly (string Arguments, string Message)[] Mail =
    [
        ("INBOX (\\Seen) \" 6-Mar-2024 08:30:00 +0100\" ", Plain),
        ("INBOX (\\Flagged \\Draft) \" 7-Mar-2024 10:00:00 +0000\" ", Encoded),
        ("INBOX ($Work) \" 8-Mar-2024 10:00:00 +0000\" ", Multipart),
        ("INBOX (\\Seen \\Answered) \" 8-Mar-2024 12:00:00 +0100\" ", Nested),
        ("INBOX \" 9-Mar-2024 00:00:00 -0500\" ", Bare),
    ];

    public static string Append(string arguments, string message) => $"APPEND {arguments}{{{Encoding.Latin1.GetByteCount(message)}+}}\r\n{message}";
}
