namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>Messages as they should not be, and some as they should.</summary>
internal static class OddMessages
{
    public static IReadOnlyList<(string Name, string Text)> All { get; } =
    [
        .. Envelopes().Select(static one => (one.Name, Lines(one.Header) + "\r\nbody\r\n")),
        .. Bodies().Select(static one => (one.Name, Lines(one.Text))),
    ];

    private static string Lines(string text) => text.ReplaceLineEndings("\r\n");

    private static IEnumerable<(string Name, string Header)> Envelopes() =>
    [
        ("all fields", "Date: Mon, 7 Feb 1994 21:52:25 -0800\nSubject: hello\nFrom: Fred Foobar <foobar@Blurdybloop.example>\nSender: s@example.com\nReply-To: r@example.com\nTo: a@example.com, B <b@example.com>\nCc: c@example.com\nBcc: d@example.com\nIn-Reply-To: <x@y>\nMessage-ID: <z@y>\n"),
        ("no fields", "X-None: 1\n"),
        ("only from", "From: a@example.com\n"),
        ("folded subject", "Subject: a\n  b\n\tc\n"),
        ("subject in quotes", "Subject: say \"hi\" \\ there\n"),
        ("encoded words stay", "Subject: =?utf-8?q?caf=C3=A9?=\nFrom: =?utf-8?q?caf=C3=A9?= <a@example.com>\n"),
        ("empty subject", "Subject:\nFrom: a@example.com\n"),
        ("blank subject", "Subject:   \nFrom: a@example.com\n"),
        ("two subjects", "Subject: one\nSubject: two\n"),
        ("two tos", "To: a@example.com\nTo: b@example.com\n"),
        ("two dates", "Date: one\nDate: two\nMessage-Id: <1@x>\nMessage-Id: <2@x>\n"),
        ("space before colon", "Subject : hello\n"),
        ("lower case names", "subject: hello\nfrom: a@example.com\n"),
        ("group", "To: friends: a@example.com, B <b@example.com>;, c@example.com\n"),
        ("empty group", "To: undisclosed-recipients:;\n"),
        ("group without end", "To: friends: a@example.com\n"),
        ("quoted name", "From: \"Foo, \\\"Bar\\\"\" <a@example.com>\n"),
        ("quoted local part", "From: \"foo bar\"@example.com\n"),
        ("comment is the name", "From: a@example.com (Ann Example)\n"),
        ("comment and name", "From: Ann (the first) <a@example.com> (second)\n"),
        ("nested comment", "From: a@example.com (Ann (of \\) Exam) ple)\n"),
        ("dotted name", "From: J. R. Ewing <jr@example.com>\n"),
        ("missing domain", "From: root\nTo: <root>\n"),
        ("missing local part", "From: <@example.com>\n"),
        ("empty angle", "From: Nobody <>\n"),
        ("only a name", "From: Ann Example\n"),
        ("domain literal", "From: a@[192.0.2.1]\n"),
        ("route", "From: Ann <@a.example,@b.example:ann@example.com>\n"),
        ("spaces around dots", "From: a . b @ example . com\n"),
        ("empty entries", "To: , a@example.com,, b@example.com ,\n"),
        ("angle without end", "From: Ann <a@example.com\n"),
        ("8 bit name", "From: Caf\u00e9 <a@example.com>\nSubject: caf\u00e9\n"),
        ("no colon line", "Subject: a\nthis is no header\nFrom: b@example.com\n"),
        ("id with junk", "Message-ID:   <a@b>  junk  \nIn-Reply-To: one <c@d> two\n"),
        ("tabs", "Subject:\ta\tb\t\nFrom:\tAnn\t<a@example.com>\n"),
    ];

    private static IEnumerable<(string Name, string Text)> Bodies() =>
    [
        ("no empty line", "Subject: only a header\n"),
        ("empty line only", "\nbody\n"),
        ("no last line end", "Subject: x\n\nline\nlast"),
        ("empty body", "Subject: x\n\n"),
        ("text without charset", "Content-Type: text/html\n\n<p>\n"),
        ("text with parameters and without charset", "Content-Type: text/plain; format=flowed\n\nx\n"),
        ("charset in quotes", "Content-Type: text/plain; charset=\"utf-8\"\n\nx\n"),
        ("broken type", "Content-Type: nonsense\n\nx\n"),
        ("empty type", "Content-Type:\n\nx\n"),
        ("type without subtype", "Content-Type: text/\n\nx\n"),
        ("type with comments", "Content-Type: (a) text (b) / (c) plain (d) ; (e) charset (f) = (g) utf-8 (h)\n\nx\n"),
        ("parameter without value", "Content-Type: text/plain; a; b=; c=d\n\nx\n"),
        ("parameters with odd ends", "Content-Type: text/plain; a=b;; c=\"d;e\";\n\nx\n"),
        ("upper case type", "Content-Type: TEXT/PLAIN; CHARSET=UTF-8\nContent-Transfer-Encoding: BASE64\n\neA==\n"),
        ("encoding with junk", "Content-Transfer-Encoding: base64 junk\n\nx\n"),
        ("all extension fields", "Content-Type: application/pdf; name=\"a.pdf\"\nContent-ID: <1@x>\nContent-Description: a \"file\"\nContent-MD5: Q2hlY2s=\nContent-Disposition: attachment; filename=\"a b.pdf\"; size=7\nContent-Language: en, de\nContent-Location: http://example.com/a\n\nx\n"),
        ("inline without parameters", "Content-Disposition: inline\nContent-Language: en\n\nx\n"),
        ("multipart", "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\nepilogue\n"),
        ("multipart without parts", "Content-Type: multipart/mixed; boundary=b\n\nnothing\n"),
        ("multipart that ends at once", "Content-Type: multipart/mixed; boundary=b\n\n--b--\n"),
        ("multipart without end", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n"),
        ("multipart without last line end", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo"),
        ("boundary with blanks behind", "Content-Type: multipart/mixed; boundary=b\n\n--b  \n\none\n--b--  \n"),
        ("empty parts", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\n\n--b\nContent-Type: text/x\n--b--\n"),
        ("header goes into boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\ntwo\n--b--\n"),
        ("boundary is the beginning of another", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bc\n\n--bc\n\none\n--bc\n\ntwo\n--bc--\n--b\n\nthree\n--b--\n"),
        ("inner without end", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--a\n\nthree\n--a--\n"),
        ("same boundary inside", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\none\n--a--\n--a--\n"),
        ("boundary behind the end", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a--\n--a\n\ntwo\n"),
        ("boundary in quotes", "Content-Type: multipart/mixed; boundary=\"b c:d\"\n\n--b c:d\n\none\n--b c:d--\n"),
        ("message inside", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/rfc822\nContent-Description: it\n\nSubject: inner\nFrom: i@example.com\n\ninner body\nsecond\n--b--\n"),
        ("message inside is multipart", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\np\n--c\nContent-Type: text/html\n\nh\n--c--\n\n--b--\n"),
        ("message is a message", "Subject: outer\nContent-Type: message/rfc822\n\nSubject: inner\n\nbody\n"),
        ("message in message in message", "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: inmost\n\nbody\n"),
        ("message inside without empty line", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n--b--\n"),
        ("digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nbody\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n"),
        ("multipart with extension fields", "Content-Type: multipart/mixed; boundary=b; x=y\nContent-Disposition: inline\nContent-Language: fr\nContent-Location: here\n\n--b\nContent-Disposition: attachment; filename=x\n\none\n--b--\n"),
        ("boundary of eighty", $"Content-Type: multipart/mixed; boundary={new string('x', 80)}\n\n--{new string('x', 80)}\n\none\n--{new string('x', 80)}--\n"),
        ("dashes that are no boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n-- \nAnn\n--\n--a\n--b--\n"),
    ];
}
