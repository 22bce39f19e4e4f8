using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Commands;

/// <summary>What a command came to: its tagged response.</summary>
/// <param name="Status">OK, NO or BAD.</param>
/// <param name="Code">The response code without its brackets, or empty.</param>
/// <param name="Text">For people.</param>
internal readonly record struct CommandResult(ImapStatus Status, string Code, string Text)
{
    public static readonly CommandResult NoMailboxSelected = Bad("No mailbox selected.");

    public static readonly CommandResult InvalidMessageSet = Bad("Invalid message set.");

    /// <summary>A message number was used where the client has given them up (RFC 9586 section 3).</summary>
    public static readonly CommandResult UidRequired = new(ImapStatus.Bad, "UIDREQUIRED", "Message numbers cannot be used.");

    public static readonly CommandResult ReadOnly = No("READ-ONLY", "The mailbox is selected read-only.");

    public static readonly CommandResult NoSuchMailbox = No("NONEXISTENT", "There is no such mailbox.");

    public static readonly CommandResult NoPermission = No("NOPERM", "You may not do this.");

    public static readonly CommandResult TryCreate = No("TRYCREATE", "There is no such mailbox.");

    public static readonly CommandResult UnknownEncoding = No("UNKNOWN-CTE", "The encoding cannot be read.");

    public static readonly CommandResult OverQuota = No("OVERQUOTA", "That would be more than you may keep.");

    public static readonly CommandResult TooManyKeywords = No("LIMIT", "The mailbox has too many keywords.");

    /// <summary>Whether HIGHESTMODSEQ takes the place of the response code (RFC 7162 section 3.2.7).</summary>
    public bool TellsHighestModSeq { get; init; }

    /// <summary>Whether both sides compress from behind this response on (RFC 4978).</summary>
    public bool StartsCompression { get; init; }

    /// <summary>How metrics call it.</summary>
    public string Label => Status switch
    {
        ImapStatus.Ok => "ok",
        ImapStatus.No => "no",
        _ => "bad",
    };

    public static CommandResult Ok(string text, string code = "") => new(ImapStatus.Ok, code, text);

    public static CommandResult No(string code, string text) => new(ImapStatus.No, code, text);

    public static CommandResult Bad(string text) => new(ImapStatus.Bad, "", text);
}
