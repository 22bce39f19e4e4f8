using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>One data item of FETCH (RFC 3501 section 6.4.5). The macros ALL, FAST and FULL are expanded by the parser, and so are
/// RFC822, RFC822.HEADER and RFC822.TEXT kept as their own kinds, because the answer repeats the name.</summary>
/// <param name="Kind">Which item.</param>
/// <param name="Section">The section of <see cref="FetchItemKind.BodySection"/>.</param>
/// <param name="Peek">Whether <c>.PEEK</c> was given, so that <c>\Seen</c> is not set.</param>
/// <param name="Partial">The <c>&lt;offset.length&gt;</c> given, or <c>null</c>.</param>
public sealed record FetchItem(FetchItemKind Kind, BodySection? Section = null, bool Peek = false, PartialRange? Partial = null);

/// <summary>The kinds of FETCH items.</summary>
public enum FetchItemKind
{
    /// <summary><c>UID</c>.</summary>
    Uid,
    /// <summary><c>FLAGS</c>.</summary>
    Flags,
    /// <summary><c>INTERNALDATE</c>.</summary>
    InternalDate,
    /// <summary><c>RFC822.SIZE</c>.</summary>
    Rfc822Size,
    /// <summary><c>ENVELOPE</c>.</summary>
    Envelope,
    /// <summary><c>BODY</c> without a section: BODYSTRUCTURE without extension data.</summary>
    Body,
    /// <summary><c>BODYSTRUCTURE</c>.</summary>
    BodyStructure,
    /// <summary><c>RFC822</c>.</summary>
    Rfc822,
    /// <summary><c>RFC822.HEADER</c> (does not set <c>\Seen</c>).</summary>
    Rfc822Header,
    /// <summary><c>RFC822.TEXT</c>.</summary>
    Rfc822Text,
    /// <summary><c>BODY[…]</c> or <c>BODY.PEEK[…]</c>.</summary>
    BodySection,
    /// <summary><c>MODSEQ</c> (RFC 7162 section 3.1.4.2).</summary>
    ModSeq,
    /// <summary><c>EMAILID</c> (RFC 8474 section 5.1).</summary>
    EmailId,
    /// <summary><c>THREADID</c> (RFC 8474 section 5.2).</summary>
    ThreadId,
    /// <summary><c>SAVEDATE</c> (RFC 8514 section 4.2).</summary>
    SaveDate,
    /// <summary><c>PREVIEW</c>, with <c>(LAZY)</c> or without (RFC 8970).</summary>
    Preview,
    /// <summary><c>BINARY[…]</c> or <c>BINARY.PEEK[…]</c> (RFC 3516); the section has part numbers alone.</summary>
    Binary,
    /// <summary><c>BINARY.SIZE[…]</c>.</summary>
    BinarySize,
}

/// <summary>A section-spec: a part number path and what of that part.</summary>
/// <param name="Part">Part numbers from the outside in, empty for the message itself.</param>
/// <param name="Text">Which text of the part.</param>
/// <param name="HeaderFields">The field names of HEADER.FIELDS and HEADER.FIELDS.NOT as the client spelled them.</param>
public sealed record BodySection(ImmutableArray<uint> Part, SectionText Text, ImmutableArray<string> HeaderFields);

/// <summary>What of a part a <see cref="BodySection"/> names.</summary>
public enum SectionText
{
    /// <summary>All of it: <c>BODY[]</c>, <c>BODY[1.2]</c>.</summary>
    All,
    /// <summary><c>HEADER</c>.</summary>
    Header,
    /// <summary><c>HEADER.FIELDS (…)</c>.</summary>
    HeaderFields,
    /// <summary><c>HEADER.FIELDS.NOT (…)</c>.</summary>
    HeaderFieldsNot,
    /// <summary><c>TEXT</c>.</summary>
    Text,
    /// <summary><c>MIME</c>, only after a part number.</summary>
    Mime,
}

/// <summary>A partial range in bytes; <paramref name="Length"/> is at least 1.</summary>
public readonly record struct PartialRange(uint Offset, uint Length);
