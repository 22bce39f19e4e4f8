using System.Buffers;
using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>A Content-Type field (RFC 2045 section 5.1).</summary>
/// <param name="Type">As written; empty when the field is malformed.</param>
/// <param name="Subtype">As written; empty when there is none, or the field is malformed.</param>
/// <param name="Parameters">None when the field is malformed.</param>
internal sealed record MediaType(byte[] Type, byte[] Subtype, ParameterList? Parameters)
{
    private static readonly MediaType Malformed = new([], [], null);

    public bool IsText => Is(Type, "text"u8);

    public bool IsMultipart => Is(Type, "multipart"u8) && Subtype.Length > 0;

    public bool IsDigest => IsMultipart && Is(Subtype, "digest"u8);

    public bool IsMessage => Is(Type, "message"u8) && Is(Subtype, "rfc822"u8);

    /// <summary>Without the slash nothing tells what is in a multipart, which then is no more than bytes.</summary>
    public bool IsMultipartWithoutSubtype => Is(Type, "multipart"u8) && Subtype.Length == 0;

    /// <summary>The type in lower case, such as <c>text/plain</c>; empty when the field is malformed.</summary>
    public string Name => Type.Length == 0 && Subtype.Length == 0
        ? ""
        : $"{Encoding.Latin1.GetString(Type)}/{Encoding.Latin1.GetString(Subtype)}".ToLowerInvariant();

    public static MediaType Parse(ReadOnlySpan<byte> value)
    {
        var cursor = new HeaderCursor(value, comment: null);
        var type = new ArrayBufferWriter<byte>();
        var subtype = new ArrayBufferWriter<byte>();
        if (cursor.SkipSpace() != Progress.More) return Malformed;
        if (cursor.Token(type) != Progress.More) return new MediaType(type.WrittenSpan.ToArray(), [], null);
        if (type.WrittenCount == 0 || !cursor.TryTake((byte)'/') || cursor.SkipSpace() != Progress.More) return Malformed;
        if (cursor.Token(subtype) == Progress.Broken || subtype.WrittenCount == 0) return Malformed;
        if (!cursor.IsEnd && cursor.Current != ';') return Malformed;
        return new MediaType(type.WrittenSpan.ToArray(), subtype.WrittenSpan.ToArray(), ParameterList.Read(ref cursor));
    }

    /// <summary>What parts the body of a multipart; <c>null</c> if nothing does.</summary>
    public byte[]? Boundary => Parameters?.Find("boundary"u8) switch
    {
        { Length: > MimeLimits.MaxBoundaryBytes } tooLong => tooLong[..MimeLimits.MaxBoundaryBytes],
        var boundary => boundary,
    };

    private static bool Is(byte[] actual, ReadOnlySpan<byte> expected) => Ascii.EqualsIgnoreCase(actual, expected);
}
