using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>What a part holds.</summary>
internal enum PartKind
{
    /// <summary>Data, whatever its type.</summary>
    Leaf,
    /// <summary>Parts between boundaries.</summary>
    Multipart,
    /// <summary>One message.</summary>
    Message,
    /// <summary>A multipart or message that is not looked into, because of <see cref="MimeLimits"/> or because its type does not say what it is.</summary>
    Opaque,
}

/// <summary>A node of a message's tree: the message itself, a part of a multipart, or the message inside a message/rfc822 part.</summary>
internal sealed class MimePart
{
    private List<MimePart>? _children;
    private bool _isMime;
    private long _linesBeforeBody;

    public MimePart(MimePart? parent, long headerStart)
    {
        Parent = parent;
        Level = parent is null ? 1 : parent.Level + 1;
        HeaderStart = BodyStart = End = headerStart;
        if (parent is null) Facts = new HeaderFacts();
        if (parent is null || parent.Kind == PartKind.Message) Envelope = new Envelope();
        // In a multipart the fields of MIME count without a version (RFC 2045 section 4).
        _isMime = parent?.Kind == PartKind.Multipart;
        if (parent is not null) (parent._children ??= []).Add(this);
    }

    public MimePart? Parent { get; }

    /// <summary>1 for the message itself.</summary>
    public int Level { get; }

    public IReadOnlyList<MimePart> Children => _children ?? [];

    public PartKind Kind { get; private set; }

    /// <summary>The header's fields, of a message only.</summary>
    public Envelope? Envelope { get; }

    /// <summary>What else is kept of the header, of the outermost message only.</summary>
    public HeaderFacts? Facts { get; }

    public ContentFields Content { get; private set; } = new();

    public long HeaderStart { get; }

    public long BodyStart { get; private set; }

    public long End { get; private set; }

    /// <summary>How many line ends the body has.</summary>
    public long BodyLines { get; private set; }

    public bool IsText => Kind == PartKind.Leaf && Content.MediaType is null or { IsText: true };

    /// <summary>The type in lower case; empty when it is malformed.</summary>
    public string TypeName => Kind switch
    {
        PartKind.Message => "message/rfc822",
        PartKind.Opaque => "application/octet-stream",
        _ => Content.MediaType?.Name ?? "text/plain",
    };

    /// <summary>Of a text part, as written.</summary>
    public string? Charset => IsText && Content.MediaType?.Parameters?.Find("charset"u8) is { } charset ? Encoding.Latin1.GetString(charset) : null;

    public void Take(HeaderField field, ReadOnlySpan<byte> value)
    {
        _isMime |= field is HeaderField.MimeVersion or HeaderField.ContentType;
        Envelope?.Take(field, value);
        Facts?.Take(field, value);
        Content.Take(field, value);
    }

    /// <summary>Settles what the part is, when its header is over.</summary>
    /// <param name="mayHoldParts">Whether the limits allow it to be looked into.</param>
    public void EndHeader(long position, long linesBefore, bool mayHoldParts)
    {
        BodyStart = End = position;
        _linesBeforeBody = linesBefore;
        // A message that says nothing of MIME has a text for its body (RFC 2045 section 5.2), whatever single fields claim.
        if (!_isMime) Content = new ContentFields();

        Kind = Content.MediaType switch
        {
            null when Parent is { Kind: PartKind.Multipart, Content.MediaType.IsDigest: true } => PartKind.Message,
            { IsMessage: true } => PartKind.Message,
            { IsMultipart: true } => PartKind.Multipart,
            { IsMultipartWithoutSubtype: true } => PartKind.Opaque,
            _ => PartKind.Leaf,
        };
        if (Kind is PartKind.Message or PartKind.Multipart && !mayHoldParts) Kind = PartKind.Opaque;
    }

    /// <summary>Takes the last line end away from the header: it belongs to the boundary that follows.</summary>
    public void CutHeader(long position, long linesBefore)
    {
        BodyStart = End = position;
        _linesBeforeBody = linesBefore;
    }

    public void EndBody(long position, long linesBefore)
    {
        End = position;
        BodyLines = linesBefore - _linesBeforeBody;
    }
}
