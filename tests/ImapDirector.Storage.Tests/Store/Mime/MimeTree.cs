using System.Text;
using CsCheck;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>Well-formed messages of random shape.</summary>
internal static class MimeTree
{
    private static readonly Gen<string> Text = Gen.Char["ab -=\r"].Array[0, 40].Select(static letters => new string(letters).Replace("\r", "\r\n", StringComparison.Ordinal));

    private static readonly Gen<string> Leaf = Gen.Select(Gen.OneOf("text/plain", "text/html; charset=utf-8", "image/png; name=x", "application/octet-stream"),
        Gen.OneOf("", "Content-Disposition: attachment; filename=\"a b\"\r\n", "Content-Transfer-Encoding: base64\r\n", "Content-ID: <a@b>\r\n"), Text,
        static (type, field, text) => $"Content-Type: {type}\r\n{field}\r\n{text}");

    private static readonly string Seed = "0000KFjcdhA2";

    public static IEnumerable<string> Messages(int count)
    {
        var messages = new List<string>();
        Part(depth: 4).Sample(part => messages.Add($"Subject: tree\r\nFrom: a@example.com\r\n{part}\r\n"), iter: count, threads: 1, seed: Seed);
        return messages;
    }

    private static Gen<string> Part(int depth)
    {
        if (depth == 0) return Leaf;
        var inner = Part(depth - 1);
        var multipart = Gen.Select(inner.Array[1, 3], Gen.OneOf("mixed", "alternative", "digest"), Gen.Bool, (parts, subtype, hasEnd) =>
        {
            // Inner boundaries differ from outer ones by their depth.
            var boundary = $"={depth}=";
            var text = new StringBuilder($"Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n");
            foreach (var part in parts) text.Append($"--{boundary}\r\n{part}\r\n");
            return text.Append(hasEnd ? $"--{boundary}--\r\n" : "").ToString();
        });
        var message = inner.Select(static part => $"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nTo: b@example.com\r\n{part}");
        return Gen.Frequency((2, Leaf), (3, multipart), (1, message));
    }
}
