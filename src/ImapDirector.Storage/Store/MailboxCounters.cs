using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>What is counted of a mailbox, or how it changes.</summary>
/// <param name="Messages">Messages.</param>
/// <param name="Unseen">Those without \Seen.</param>
/// <param name="Deleted">Those with \Deleted.</param>
/// <param name="Bytes">Their sizes together.</param>
internal readonly record struct MailboxCounters(long Messages, long Unseen, long Deleted, long Bytes)
{
    public static MailboxCounters Of(MessageRecord message) =>
        new(1, (message.Flags & SystemFlags.Seen) == 0 ? 1 : 0, (message.Flags & SystemFlags.Deleted) != 0 ? 1 : 0, message.SizeBytes);

    public static MailboxCounters operator +(MailboxCounters left, MailboxCounters right) =>
        new(left.Messages + right.Messages, left.Unseen + right.Unseen, left.Deleted + right.Deleted, left.Bytes + right.Bytes);

    public static MailboxCounters operator -(MailboxCounters left, MailboxCounters right) =>
        new(left.Messages - right.Messages, left.Unseen - right.Unseen, left.Deleted - right.Deleted, left.Bytes - right.Bytes);
}
