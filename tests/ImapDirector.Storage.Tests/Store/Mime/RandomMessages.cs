using CsCheck;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>Messages nobody would write by hand, made of what trips parsers.</summary>
internal static class RandomMessages
{
    private static readonly string[] Boundaries = ["a", "ab", "b", "a--", "abc", "-", "a b"];

    private static readonly string[] AddressTokens =
        ["a", "b.c", "@", "@d", "<", ">", ",", ";", ":", "\"", "\\", "(", ")", ".", " ", " ", "[", "]", "\r\n ", "\t", "é", "=?x?=", "<e@f>", "g:", "\"q s\"", "(c)", "'"];

    private static readonly string[] FieldTokens =
        ["a", "text", "/", "plain", ";", "; ", "=", "x", "x*", "x*0", "x*1", "x*0*", "y*1*", "\"", "\"q s\"", "\\", "(", ")", " ", "\r\n ", "é", "%", "'", ",", "charset=", "name=", ".", "=?u?q?x?=", "<", "1"];

    private static readonly string[] LinePool =
    [
        "--a", "--b", "--ab", "--a--", "--b--", "--ab--", "--a ", "--", "---", "-", "",
        "", "", "x", "text", " folded", "\t", "Subject: s", "From: a@b", "Content-Type: text/html", "Content-Type: message/rfc822", "Content-Type: multipart/mixed; boundary=a",
        "Content-Type: multipart/mixed; boundary=b", "Content-Type: multipart/digest; boundary=\"ab\"", "Content-Type: a/b", "Content-Transfer-Encoding: base64", "Content-Type: multipart/mixed",
        "MIME-Version: 1.0", "Content-ID: <i>", "Content-Type:", "no colon",
    ];

    public static Gen<string> Addresses { get; } =
        from field in Gen.OneOf("From", "To", "Cc", "Sender", "Reply-To", "Bcc")
        from tokens in Gen.OneOf(AddressTokens).Array[1, 14]
        select $"{field}: {string.Concat(tokens)}\r\n\r\n";

    public static Gen<string> ContentFields { get; } =
        from type in Gen.OneOf("Content-Type: text/plain", "Content-Type: a/b; ", "Content-Type: ", "Content-Disposition: x; ", "Content-Disposition: ", "Content-Language: ",
            "Content-Transfer-Encoding: ", "Content-ID: ", "Content-Description: ")
        from tokens in Gen.OneOf(FieldTokens).Array[1, 14]
        select $"MIME-Version: 1.0\r\n{type}{string.Concat(tokens)}\r\n\r\nbody";

    public static Gen<string> Lines { get; } =
        from first in Gen.OneOf("a", "b", "ab")
        from lines in Gen.OneOf(LinePool).Array[1, 40]
        from lastEnds in Gen.Bool
        select $"Content-Type: multipart/mixed; boundary={first}\r\n\r\n{string.Join("\r\n", lines)}{(lastEnds ? "\r\n" : "")}";

    private static Gen<string> Leaf { get; } =
        from header in Gen.OneOf("", "Content-Type: text/html; charset=utf-8\r\n", "Content-Type: image/png; name=\"a b\"\r\nContent-Transfer-Encoding: base64\r\n",
            "Content-Disposition: attachment; filename*0=x; filename*1=y\r\n", "Content-ID: <i>\r\nContent-Description: d\r\n", "Content-Language: en, fr\r\nContent-MD5: x\r\n")
        from body in Gen.OneOf("", "x", "x\r\n", "\r\n", "\r\n\r\n", "line\r\nline\r\n", "--\r\n-- \r\n", "--x\r\n")
        select $"{header}\r\n{body}";

    private static Gen<string> Multipart(Gen<string> inner) =>
        from kind in Gen.OneOf("mixed", "digest", "alternative", "x-none")
        from boundary in Gen.OneOf(Boundaries)
        from parts in inner.Array[0, 4]
        from preamble in Gen.OneOf("", "preamble\r\n", "\r\n")
        from epilogue in Gen.OneOf("--\r\n", "--", "", "--\r\nepilogue", "--\r\n\r\n", " --\r\n")
        select $"Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n{preamble}{string.Concat(parts.Select(part => $"--{boundary}\r\n{part}\r\n"))}--{boundary}{epilogue}";

    private static Gen<string> Message(Gen<string> inner) =>
        from message in inner
        select $"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: x <a@b>\r\n{message}";

    /// <summary>Parts in parts, well formed but for what an unlucky boundary makes of them.</summary>
    public static Gen<string> Trees { get; } = Gen.Recursive<string>((depth, inner) => depth >= 4 ? Leaf : Gen.Frequency((2, Leaf), (3, Multipart(inner)), (1, Message(inner))));
}
