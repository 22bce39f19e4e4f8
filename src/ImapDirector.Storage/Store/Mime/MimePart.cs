namespace ImapDirector.Storage.Store.Mime;

/// <summary>A part of a message while it is taken apart: the message itself, a part of a multipart, or the message inside a message/rfc822 part.</summary>
internal sealed class MimePart(MimePart? parent, bool isMessage, int headerStart, int depth)
{
    private static readonly ContentType PlainText = new("text"u8.ToArray(), "plain"u8.ToArray(), []);
    private static readonly ContentType Message = new("message"u8.ToArray(), "rfc822"u8.ToArray(), []);

    private static readonly ContentType Opaque = new("application"u8.ToArray(), "octet-stream"u8.ToArray(), []);

    private ContentType? _type;

    public MimePart? Parent => parent;

    /// <summary>Whether it has an envelope: the message itself, or one inside a message/rfc822 part.</summary>
    public bool IsMessage => isMessage;

    /// <summary>How many parts it is inside of.</summary>
    public int Depth => depth;

    public int HeaderStart => headerStart;

    public int BodyStart { get; set; }

    public int End { get; set; }

    /// <summary>LFs before the body.</summary>
    public int LinesBeforeBody { get; set; }

    /// <summary>LFs in the body.</summary>
    public int Lines { get; set; }

    public HeaderFields Header { get; } = new();

    /// <summary>The parts of a multipart, or the message of a message/rfc822 part.</summary>
    public List<MimePart> Children { get; } = [];

    public ContentType Type => _type ??= ContentType.Parse(Header.Find("Content-Type")) ?? DefaultType;

    /// <summary>What it is said to be. A client that believed the type of a part that could not be taken apart would look for what is not there.</summary>
    public ContentType ShownType => (IsMultipart && Boundary is not { Length: > 0 }) || (IsEmbeddedMessage && Children.Count == 0) ? Opaque : Type;

    public bool IsMultipart => Type.Is("multipart");

    public bool IsEmbeddedMessage => Type.Is("message", "rfc822");

    /// <summary>The bytes of the body.</summary>
    public int BodyBytes => End - BodyStart;

    /// <summary>What stands between two of its parts; <c>null</c> when it is no multipart, or does not say.</summary>
    public byte[]? Boundary => IsMultipart ? Type.Find("boundary") : null;

    public void EndAt(int position, int linesBefore)
    {
        End = Math.Max(position, BodyStart);
        Lines = Math.Max(linesBefore - LinesBeforeBody, 0);
    }

    // RFC 2046 section 5.1.5.
    private ContentType DefaultType => !isMessage && parent is not null && parent.Type.Is("multipart", "digest") ? Message : PlainText;
}
