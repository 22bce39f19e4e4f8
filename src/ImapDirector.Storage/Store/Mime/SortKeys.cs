namespace ImapDirector.Storage.Store.Mime;

/// <summary>What SORT and THREAD compare (RFC 5256), folded.</summary>
/// <param name="SentSeconds">The Date field in seconds since 1970, <c>null</c> where there is none: INTERNALDATE takes its place.</param>
/// <param name="Subject">The base subject.</param>
/// <param name="IsReply">Whether the subject was that of a reply or a forward.</param>
/// <param name="From">The local part of the first From address.</param>
/// <param name="To">The local part of the first To address.</param>
/// <param name="Cc">The local part of the first Cc address.</param>
/// <param name="FromName">The name of the first From address, or else the address (RFC 5957).</param>
/// <param name="ToName">The name of the first To address, or else the address.</param>
/// <param name="MessageId">A hash of 16 bytes, or empty.</param>
/// <param name="Parents">Hashes of the message ids this one refers to, the eldest first.</param>
internal sealed record SortKeys(long? SentSeconds, string Subject, bool IsReply, string From, string To, string Cc, string FromName, string ToName,
    byte[] MessageId, byte[] Parents);

/// <summary>The fields that are searched most, decoded; <c>null</c> where the message has none.</summary>
internal sealed record HeaderTexts(string? From, string? To, string? Cc, string? Bcc, string? Subject)
{
    /// <summary>The field of that name, if it is one of these.</summary>
    public bool TryGet(string field, out string? text)
    {
        text = field.ToUpperInvariant() switch
        {
            "FROM" => From,
            "TO" => To,
            "CC" => Cc,
            "BCC" => Bcc,
            "SUBJECT" => Subject,
            _ => null,
        };
        return field.ToUpperInvariant() is "FROM" or "TO" or "CC" or "BCC" or "SUBJECT";
    }
}
