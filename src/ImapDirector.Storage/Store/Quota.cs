namespace ImapDirector.Storage.Store;

/// <summary>What a user may keep; 0 is no limit.</summary>
/// <param name="Bytes">All messages together, in bytes.</param>
/// <param name="Messages">How many messages.</param>
internal readonly record struct QuotaLimits(long Bytes, long Messages)
{
    /// <summary>Whether there is any limit.</summary>
    public bool IsSet => Bytes > 0 || Messages > 0;

    /// <summary>Whether so much is too much.</summary>
    public bool IsBelow(QuotaUsage usage) => (Bytes > 0 && usage.Bytes > Bytes) || (Messages > 0 && usage.Messages > Messages);
}

/// <summary>What a user keeps. A copy counts like its original: clients can make no sense of anything else.</summary>
internal readonly record struct QuotaUsage(long Bytes, long Messages)
{
    public QuotaUsage With(long bytes, long messages) => new(Bytes + bytes, Messages + messages);

    /// <summary>From the mailboxes' counters.</summary>
    public static QuotaUsage Of(StoreConnection store)
    {
        var usage = store.All("SELECT total(size_bytes), total(messages) FROM mailboxes", static row => new QuotaUsage((long)row.GetDouble(0), (long)row.GetDouble(1)));
        return usage[0];
    }
}

/// <summary>The user would keep more than is allowed; nothing was changed.</summary>
internal sealed class OverQuotaException() : Exception("The user is over quota.");
