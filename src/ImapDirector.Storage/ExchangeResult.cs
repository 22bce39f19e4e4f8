namespace ImapDirector.Storage;

/// <summary>How mail is written for other programs.</summary>
public enum MailFormat
{
    /// <summary>Maildir++: a file for each message.</summary>
    Maildir,
    /// <summary>mboxrd: a file for each mailbox.</summary>
    Mbox,
}

/// <summary>What an export or an import did.</summary>
/// <param name="Mailboxes">Mailboxes written.</param>
/// <param name="Messages">Messages written.</param>
/// <param name="Findings">What was left out or changed.</param>
public sealed record ExchangeResult(int Mailboxes, int Messages, IReadOnlyList<StoreFinding> Findings);
