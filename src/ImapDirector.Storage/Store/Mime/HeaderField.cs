using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>The header fields that a summary is made of.</summary>
internal enum HeaderField
{
    /// <summary>Any other.</summary>
    None,
    Date,
    Subject,
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    Bcc,
    InReplyTo,
    MessageId,
    References,
    MimeVersion,
    ContentType,
    ContentTransferEncoding,
    ContentDisposition,
    ContentLanguage,
    ContentLocation,
    ContentMd5,
    ContentId,
    ContentDescription,
}

internal static class HeaderFields
{
    private static readonly (byte[] Name, HeaderField Field)[] Names =
    [
        ("Date"u8.ToArray(), HeaderField.Date),
        ("Subject"u8.ToArray(), HeaderField.Subject),
        ("From"u8.ToArray(), HeaderField.From),
        ("Sender"u8.ToArray(), HeaderField.Sender),
        ("Reply-To"u8.ToArray(), HeaderField.ReplyTo),
        ("To"u8.ToArray(), HeaderField.To),
        ("Cc"u8.ToArray(), HeaderField.Cc),
        ("Bcc"u8.ToArray(), HeaderField.Bcc),
        ("In-Reply-To"u8.ToArray(), HeaderField.InReplyTo),
        ("Message-ID"u8.ToArray(), HeaderField.MessageId),
        ("References"u8.ToArray(), HeaderField.References),
        ("MIME-Version"u8.ToArray(), HeaderField.MimeVersion),
        ("Content-Type"u8.ToArray(), HeaderField.ContentType),
        ("Content-Transfer-Encoding"u8.ToArray(), HeaderField.ContentTransferEncoding),
        ("Content-Disposition"u8.ToArray(), HeaderField.ContentDisposition),
        ("Content-Language"u8.ToArray(), HeaderField.ContentLanguage),
        ("Content-Location"u8.ToArray(), HeaderField.ContentLocation),
        ("Content-MD5"u8.ToArray(), HeaderField.ContentMd5),
        ("Content-ID"u8.ToArray(), HeaderField.ContentId),
        ("Content-Description"u8.ToArray(), HeaderField.ContentDescription),
    ];

    /// <summary>The field of that name, in any case of letters.</summary>
    public static HeaderField Find(ReadOnlySpan<byte> name)
    {
        foreach (var (known, field) in Names)
            if (known.Length == name.Length && Ascii.EqualsIgnoreCase(known, name)) return field;
        return HeaderField.None;
    }
}
