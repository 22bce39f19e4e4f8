using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ImapDirector.Protocol.Imap;

/// <summary>A relative IMAP URL that names a message or a part of it (RFC 5092 section 7.1):
/// <c>/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.2/;PARTIAL=0.1024</c>. A URL with a server in it is not one: which names lead here, only the
/// outside knows (RFC 4469 section 3 asks clients for relative ones).</summary>
/// <param name="Mailbox">The mailbox; <c>null</c> for the selected one.</param>
/// <param name="UidValidity">What the mailbox's UIDVALIDITY has to be, or <c>null</c>.</param>
/// <param name="Uid">The message.</param>
/// <param name="Section">What of it; all of it unless the URL names something.</param>
/// <param name="Offset">The first byte of the section.</param>
/// <param name="Length">How many bytes at the most; <c>null</c> for all behind it.</param>
public sealed record MessageUrl(MailboxName? Mailbox, uint? UidValidity, uint Uid, BodySection Section, uint Offset = 0, uint? Length = null)
{
    /// <summary>The longest URL that is looked at, in bytes: a mailbox name of its greatest length with every byte escaped, and what follows it.</summary>
    public const int MaxBytes = MailboxName.MaxBytes * 3 + 1024;

    private const string UidMark = "/;UID=";
    private const string UidValidityMark = ";UIDVALIDITY=";

    /// <summary>Reads a URL.</summary>
    /// <param name="text">The URL.</param>
    /// <param name="url">What it names.</param>
    /// <returns><c>false</c> when it is not such a URL.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out MessageUrl? url)
    {
        url = null;
        if (text.Length > MaxBytes) return false;
        // Relative to the selected mailbox it begins with what is behind the mailbox.
        if (text.StartsWith(UidMark[1..], StringComparison.OrdinalIgnoreCase)) text = "/" + text;
        else if (!text.StartsWith('/') || text.StartsWith("//", StringComparison.Ordinal)) return false;
        var end = text.IndexOf(UidMark, StringComparison.OrdinalIgnoreCase);
        if (end < 0 || !TryMailbox(text.AsSpan(0, end), out var mailbox, out var uidValidity)) return false;

        var (section, partial) = ("", "");
        var parts = text[(end + UidMark.Length)..].Split("/;");
        for (var i = 1; i < parts.Length; i++)
        {
            if (i == 1 && TryAfter(parts[i], "SECTION=", out var value)) section = value;
            else if (i == parts.Length - 1 && TryAfter(parts[i], "PARTIAL=", out value)) partial = value;
            else return false;
        }
        if (!TryNumber(parts[0], out var uid) || uid == 0 || !TrySection(section, out var named) || !TryPartial(partial, out var offset, out var length)) return false;
        url = new MessageUrl(mailbox, uidValidity, uid, named, offset, length);
        return true;
    }

    private static bool TryMailbox(ReadOnlySpan<char> path, out MailboxName? mailbox, out uint? uidValidity)
    {
        (mailbox, uidValidity) = (null, null);
        var mark = path.LastIndexOf(UidValidityMark, StringComparison.OrdinalIgnoreCase);
        if (mark >= 0)
        {
            if (!TryNumber(path[(mark + UidValidityMark.Length)..], out var given) || given == 0) return false;
            uidValidity = given;
            path = path[..mark];
        }
        if (path.IsEmpty) return uidValidity is null;
        if (!TryUnescape(path[1..], out var name) || !MailboxName.TryCreate(name, out var created)) return false;
        mailbox = created;
        return true;
    }

    private static bool TrySection(string escaped, [NotNullWhen(true)] out BodySection? section)
    {
        section = null;
        if (!TryUnescape(escaped, out var text)) return false;
        var lexer = new ImapLexer(Encoding.UTF8.GetBytes($"[{text}]"), ParseOptions.AfterLogin);
        return FetchArguments.Section(ref lexer, out section) && lexer.AtFrameEnd;
    }

    private static bool TryPartial(string text, out uint offset, out uint? length)
    {
        (offset, length) = (0, null);
        if (text.Length == 0) return true;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0) return TryNumber(text, out offset);
        if (!TryNumber(text.AsSpan(dot + 1), out var given) || given == 0) return false;
        length = given;
        return TryNumber(text.AsSpan(0, dot), out offset);
    }

    private static bool TryAfter(string text, string mark, out string value)
    {
        var isThere = text.StartsWith(mark, StringComparison.OrdinalIgnoreCase) && text.Length > mark.Length;
        value = isThere ? text[mark.Length..] : "";
        return isThere;
    }

    private static bool TryNumber(ReadOnlySpan<char> digits, out uint number) => uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Takes the percent escapes out, which must come to UTF-8.</summary>
    internal static bool TryUnescape(ReadOnlySpan<char> escaped, out string text)
    {
        text = "";
        var bytes = new List<byte>(escaped.Length);
        Span<byte> utf8 = stackalloc byte[4];
        while (!escaped.IsEmpty)
        {
            if (escaped[0] == '%')
            {
                if (escaped.Length < 3 || !byte.TryParse(escaped[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return false;
                bytes.Add(value);
                escaped = escaped[3..];
                continue;
            }
            if (Rune.DecodeFromUtf16(escaped, out var rune, out var taken) != System.Buffers.OperationStatus.Done) return false;
            bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            escaped = escaped[taken..];
        }
        var decoded = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        if (!Utf8.IsValid(decoded)) return false;
        text = Encoding.UTF8.GetString(decoded);
        return true;
    }
}
