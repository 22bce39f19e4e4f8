namespace ImapDirector.Storage.Mailboxes;

/// <summary>How many keywords a mailbox may have (limits N11).</summary>
internal static class KeywordLimit
{
    /// <summary>Different keywords in one mailbox.</summary>
    public const int PerMailbox = 256;
}
