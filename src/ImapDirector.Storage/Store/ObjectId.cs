using System.Globalization;

namespace ImapDirector.Storage.Store;

/// <summary>The identifiers of RFC 8474. A mailbox keeps its own when it is renamed, a message when it is copied or moved among its owner's mailboxes.</summary>
internal static class ObjectId
{
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="scope">What tells the owner's from those of whoever asks; empty for one's own.</param>
    public static string OfMailbox(long mailboxId, string scope) => "F" + mailboxId.ToString(CultureInfo.InvariantCulture) + scope;

    /// <param name="message">The message.</param>
    /// <param name="scope">As in <see cref="OfMailbox"/>.</param>
    public static string OfEmail(MessageRecord message, string scope) => "M" + message.ContentId.ToString(CultureInfo.InvariantCulture) + scope;
}
