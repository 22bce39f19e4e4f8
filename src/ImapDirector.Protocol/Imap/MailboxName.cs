namespace ImapDirector.Protocol.Imap;

/// <summary>
/// A mailbox name as Unicode text, decoded from modified UTF-7 (RFC 3501 section 5.1.3) or UTF-8 (RFC 9051 section 5.1).
/// <c>INBOX</c> in any case is <c>INBOX</c>; the hierarchy delimiter is <c>/</c>.
/// </summary>
/// <remarks>The grammar's limits hold (limits N9: 255 bytes of UTF-8 a level, 4096 in all, 64 levels; no NUL, control
/// character, empty level, <c>.</c> or <c>..</c> level); a <c>CREATE</c>'s one trailing delimiter is cut off by the parser.</remarks>
/// <param name="Value">The decoded text.</param>
public readonly record struct MailboxName(string Value)
{
    /// <summary>The user's inbox.</summary>
    public static readonly MailboxName Inbox = new("INBOX");

    /// <summary>The hierarchy delimiter.</summary>
    public const char Delimiter = '/';

    /// <summary>Whether this is the inbox.</summary>
    public bool IsInbox => Value == "INBOX";

    /// <inheritdoc />
    public override string ToString() => Value;
}
