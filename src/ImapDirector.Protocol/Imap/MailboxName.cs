using System.Text;
using System.Text.Unicode;
using ImapDirector.Protocol.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>
/// A mailbox name as Unicode text, decoded from modified UTF-7 (RFC 3501 section 5.1.3) or UTF-8 (RFC 9051 section 5.1).
/// <c>INBOX</c> in any case is <c>INBOX</c>, also as the first level of a longer name; the hierarchy delimiter is <c>/</c>. However a character is composed,
/// it is one and the same (normalisation form C).
/// </summary>
/// <remarks>The grammar's limits hold (limits N9: 255 bytes of UTF-8 a level, 4096 in all, 64 levels; no NUL, control
/// character, empty level, <c>.</c> or <c>..</c> level); a <c>CREATE</c>'s one trailing delimiter is cut off by the parser.
/// Names made by <see cref="TryCreate"/> and <see cref="TryDecode"/> keep them; the constructor is for names that were checked before.</remarks>
/// <param name="Value">The decoded text.</param>
public readonly record struct MailboxName(string Value)
{
    /// <summary>The user's inbox.</summary>
    public static readonly MailboxName Inbox = new("INBOX");

    /// <summary>The hierarchy delimiter.</summary>
    public const char Delimiter = '/';

    /// <summary>The longest name, in bytes of UTF-8 (limits N9).</summary>
    public const int MaxBytes = 4096;

    /// <summary>The longest level, in bytes of UTF-8 (limits N9).</summary>
    public const int MaxLevelBytes = 255;

    /// <summary>The most levels (limits N9).</summary>
    public const int MaxLevels = 64;

    /// <summary>The longest spelling on the wire of a name of <see cref="MaxBytes"/>: a character of two bytes in UTF-8 can take
    /// five in modified UTF-7, as does an <c>&amp;</c> of one byte two.</summary>
    internal const int MaxEncodedBytes = MaxBytes * 3;

    /// <summary>Whether this is the inbox.</summary>
    public bool IsInbox => Value == "INBOX";

    /// <inheritdoc />
    public override string ToString() => Value;

    /// <summary>Checks decoded text and makes a name of it.</summary>
    /// <param name="text">The decoded name.</param>
    /// <param name="name">The name.</param>
    /// <returns><c>false</c> when a limit of N9 is broken or half a surrogate pair is in it.</returns>
    public static bool TryCreate(string text, out MailboxName name)
    {
        name = default;
        if (text.Length > MaxBytes || !IsClean(text)) return false;
        text = NetUnicode.Compose(text);
        if (Encoding.UTF8.GetByteCount(text) > MaxBytes) return false;
        var levels = 0;
        foreach (var range in text.AsSpan().Split(Delimiter))
        {
            var level = text.AsSpan(range);
            if (++levels > MaxLevels || level is "" or "." or ".." || Encoding.UTF8.GetByteCount(level) > MaxLevelBytes) return false;
        }
        name = new MailboxName(WithInboxInCapitals(text));
        return true;
    }

    /// <summary>Decodes and checks a name as it is on the wire.</summary>
    /// <param name="wire">The bytes of the astring.</param>
    /// <param name="utf8">Whether they are UTF-8 rather than modified UTF-7.</param>
    /// <param name="name">The name.</param>
    /// <returns><c>false</c> when the encoding is not valid or <see cref="TryCreate"/> refuses the text.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> wire, bool utf8, out MailboxName name)
    {
        name = default;
        return TryDecodeText(wire, utf8, out var text) && TryCreate(text, out name);
    }

    /// <summary>The name in modified UTF-7 (RFC 3501 section 5.1.3), as <see cref="TryDecode"/> reads it.</summary>
    public byte[] ToModifiedUtf7() => ModifiedUtf7.Encode(Value);

    /// <summary>Decodes a name or a pattern without asking more of it than that its encoding is valid.</summary>
    internal static bool TryDecodeText(ReadOnlySpan<byte> wire, bool utf8, out string text)
    {
        text = "";
        if (wire.Length > MaxEncodedBytes) return false;
        if (!utf8) return ModifiedUtf7.TryDecode(wire, out text);
        if (!Utf8.IsValid(wire)) return false;
        text = Encoding.UTF8.GetString(wire);
        return true;
    }

    /// <summary>Whether there is no control character (C0, DEL, C1, line and paragraph separator: RFC 5198 section 2) and no half surrogate pair.</summary>
    internal static bool IsClean(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029') return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }
        return true;
    }

    /// <summary>Spells a first level that is INBOX in capitals, so that no second tree grows beside the inbox's own.</summary>
    internal static string WithInboxInCapitals(string text)
    {
        const string inbox = "INBOX";
        var first = text.AsSpan(0, Math.Min(text.Length, inbox.Length));
        var isInbox = Ascii.EqualsIgnoreCase(first, inbox) && (text.Length == inbox.Length || text[inbox.Length] == Delimiter);
        return isInbox && !first.SequenceEqual(inbox) ? string.Concat(inbox, text.AsSpan(inbox.Length)) : text;
    }
}
