using System.Buffers;

namespace ImapDirector.Protocol.Imap;

/// <summary>Writes response grammar (RFC 3501 section 9) into a buffer. No method writes a CR, LF or NUL that came from a value.</summary>
public static class ImapWriter
{
    /// <summary>Writes <paramref name="ascii"/> as it is: for constants of ours only.</summary>
    public static void Raw(this IBufferWriter<byte> output, ReadOnlySpan<byte> ascii) => throw new NotImplementedException();

    /// <summary>Writes a decimal number.</summary>
    public static void Number(this IBufferWriter<byte> output, ulong value) => throw new NotImplementedException();

    /// <summary>Writes CRLF.</summary>
    public static void EndLine(this IBufferWriter<byte> output) => throw new NotImplementedException();

    /// <summary>Writes a string, quoted where it may be, else a literal with its bytes.</summary>
    public static void String(this IBufferWriter<byte> output, ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>Writes a string, UTF-8 encoded; <c>null</c> is <c>NIL</c>.</summary>
    public static void NString(this IBufferWriter<byte> output, string? value) => throw new NotImplementedException();

    /// <summary>Writes an astring: an atom where it may be, else as <see cref="String"/> does.</summary>
    public static void AString(this IBufferWriter<byte> output, ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>Writes a mailbox name as an astring, in UTF-8 or modified UTF-7.</summary>
    public static void Mailbox(this IBufferWriter<byte> output, MailboxName name, bool utf8) => throw new NotImplementedException();

    /// <summary>Writes <c>{n}</c> CRLF; the caller writes the n bytes next.</summary>
    public static void LiteralHeader(this IBufferWriter<byte> output, long length) => throw new NotImplementedException();

    /// <summary>Writes a parenthesised flag list; <paramref name="recent"/> adds <c>\Recent</c>.</summary>
    public static void Flags(this IBufferWriter<byte> output, SystemFlags system, ReadOnlySpan<string> keywords, bool recent) => throw new NotImplementedException();

    /// <summary>Writes a date-time in quotes, such as <c>"17-Jul-1996 02:44:25 -0700"</c>.</summary>
    public static void DateTime(this IBufferWriter<byte> output, DateTimeOffset value) => throw new NotImplementedException();

    /// <summary>Writes a sorted list of numbers as a sequence-set with its runs as ranges, such as <c>1:3,7</c>.</summary>
    public static void SequenceSet(this IBufferWriter<byte> output, ReadOnlySpan<uint> ascending) => throw new NotImplementedException();

    /// <summary>Writes a whole status response: <c>tag OK [code] text</c> CRLF. <paramref name="tag"/> is <c>*</c> for an untagged one.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="status">OK, NO, BAD, BYE or PREAUTH.</param>
    /// <param name="code">The response code without its brackets, or empty. A constant of ours or made of checked parts.</param>
    /// <param name="text">Human-readable text; control characters and 8-bit are replaced by <c>?</c>, an empty one by the status.</param>
    public static void Status(this IBufferWriter<byte> output, string tag, ImapStatus status, string code, string text) => throw new NotImplementedException();
}

/// <summary>The status responses of RFC 3501 section 7.1.</summary>
public enum ImapStatus
{
    /// <summary>Success.</summary>
    Ok,
    /// <summary>Failure.</summary>
    No,
    /// <summary>Protocol error.</summary>
    Bad,
    /// <summary>The server closes.</summary>
    Bye,
    /// <summary>The greeting of a session that is already authenticated.</summary>
    PreAuth,
}
