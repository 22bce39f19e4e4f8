namespace ImapDirector.Storage;

/// <summary>What a finding is about.</summary>
public enum StoreFindingKind
{
    /// <summary>The database file: SQLite cannot read it, or finds it damaged.</summary>
    Database,
    /// <summary>A table, index or trigger is missing, changed or not ours.</summary>
    Schema,
    /// <summary>A mailbox, or that there is none.</summary>
    Mailbox,
    /// <summary>A number that is kept beside the rows it counts.</summary>
    Counter,
    /// <summary>A message's own row.</summary>
    Message,
    /// <summary>What a message says: lost, of another size, or referred to by nothing.</summary>
    Content,
    /// <summary>What was computed of a content.</summary>
    Summary,
    /// <summary>A file or directory that nothing refers to.</summary>
    File,
    /// <summary>Something that an import or an export had to leave out or to change.</summary>
    Exchange,
}

/// <summary>Something in a user's store, or in what was to be imported, that is not as it should be.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="What">What was found, in one sentence without control characters.</param>
/// <param name="Mend">What can be done about it, or what was done.</param>
public sealed record StoreFinding(StoreFindingKind Kind, string What, string Mend)
{
    /// <summary>Whether it is no longer so.</summary>
    public bool IsMended { get; init; }
}
