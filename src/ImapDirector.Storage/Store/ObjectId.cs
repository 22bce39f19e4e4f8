using System.Globalization;

namespace ImapDirector.Storage.Store;

/// <summary>The identifiers of RFC 8474. A mailbox keeps its own when it is renamed, a message when it is copied or moved.</summary>
internal static class ObjectId
{
    public static string OfMailbox(MailboxRecord mailbox) => OfMailbox(mailbox.Id);

    public static string OfMailbox(long mailboxId) => "F" + mailboxId.ToString(CultureInfo.InvariantCulture);

    public static string OfEmail(MessageRecord message) => "M" + message.ContentId.ToString(CultureInfo.InvariantCulture);
}
