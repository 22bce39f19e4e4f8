using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>What a check saw: the findings for people, and for the repair the places that it cannot find with one statement.</summary>
internal sealed class StoreCondition
{
    public const string Repair = "run \"store repair\"";
    public const string Restore = "restore the user from a backup; \"store export\" saves what can still be read";

    public List<StoreFinding> Findings { get; } = [];

    /// <summary>Whether the database itself can be relied on; without that, nothing else was looked at.</summary>
    public bool IsDatabaseSound { get; set; } = true;

    public int Messages { get; set; }

    /// <summary>Contents of which the bytes are not to be had.</summary>
    public Dictionary<long, LostContent> Lost { get; } = [];

    /// <summary>The bytes there really are of the contents that can be read.</summary>
    public Dictionary<long, long> Lengths { get; } = [];

    /// <summary>Messages whose content is lost, or is none that the database knows.</summary>
    public List<LostMessage> LostMessages { get; } = [];

    /// <summary>Messages, by mailbox and UID, that have another size written than their content has.</summary>
    public List<(long MailboxId, long Uid, long ContentId, long Length)> OfWrongSize { get; } = [];

    /// <summary>Contents that can be read and are not what their digest is of.</summary>
    public List<long> Altered { get; } = [];

    /// <summary>Messages whose keywords cannot be.</summary>
    public List<(long MailboxId, long Uid, string Keywords)> WithBadKeywords { get; } = [];

    /// <summary>Mailboxes whose lists of expunged UIDs cannot be.</summary>
    public List<long> WithBadExpunges { get; } = [];

    /// <summary>Mailboxes that messages are in and that do not exist.</summary>
    public HashSet<long> MissingMailboxes { get; } = [];

    /// <summary>Readable contents that no message refers to.</summary>
    public List<long> Unreferenced { get; } = [];

    /// <summary>Contents that are gone and that no message refers to.</summary>
    public List<long> Superfluous { get; } = [];

    /// <summary>Readable contents whose summary is missing or damaged.</summary>
    public HashSet<long> WithoutSummary { get; } = [];

    /// <summary>Files that no content refers to.</summary>
    public List<string> StrayFiles { get; } = [];

    /// <summary>Whether there is nothing left of a content that another try, or another user, could read.</summary>
    public bool IsGone(long contentId) => Lost.TryGetValue(contentId, out var lost) ? lost.IsGone : !Lengths.ContainsKey(contentId);

    public void Add(StoreFindingKind kind, string what, string mend = Repair) => Findings.Add(new StoreFinding(kind, what, mend));

    /// <summary>A store that cannot be read.</summary>
    public void Add(StoreException failed) => Add(StoreFindingKind.Database, failed.Message, failed switch
    {
        { IsDamage: true } => Restore,
        { InnerException: null } => "run the program that made it",
        { InnerException: not SqliteException } => Restore,
        _ => "run this as the user who runs the node; else look at the disk",
    });

    /// <summary>A name as it is shown to people: of a damaged store it may be anything.</summary>
    public static string Shown(string name) =>
        "\"" + string.Concat(name.Select(static letter => char.IsControl(letter) || char.IsSurrogate(letter) ? $"\\x{(int)letter:x2}" : letter.ToString())) + "\"";
}

/// <summary>A message whose content is lost.</summary>
/// <param name="MailboxId">Its mailbox.</param>
/// <param name="Uid">Its UID.</param>
/// <param name="ContentId">What it refers to.</param>
/// <param name="IsContentKnown">Whether the database has a row of it.</param>
/// <param name="Name">How it is called in a finding.</param>
internal sealed record LostMessage(long MailboxId, long Uid, long ContentId, bool IsContentKnown, string Name);

/// <summary>Why the bytes of a content are not to be had.</summary>
/// <param name="Why">In words.</param>
/// <param name="IsGone">Whether there is no file, rather than one that cannot be read now.</param>
internal sealed record LostContent(string Why, bool IsGone);
