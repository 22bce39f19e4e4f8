using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>Writes response grammar (RFC 3501 section 9) into a buffer. Outside the counted bytes of a literal no method writes a
/// CR or LF that came from a value, and none writes a NUL that did.</summary>
public static class ImapWriter
{
    /// <summary>Longer strings go as literals, so that a response line stays readable for clients with line buffers.</summary>
    private const int MaxQuotedBytes = 1024;

    /// <summary>What stands for a character that may not be where it came.</summary>
    private const byte Replacement = (byte)'?';

    private static readonly SearchValues<byte> Unquotable = SearchValues.Create([0, (byte)'\r', (byte)'\n']);
    private static readonly SearchValues<byte> QuotedSpecials = SearchValues.Create("\"\\"u8);

    /// <summary>Writes <paramref name="ascii"/> as it is: for constants of ours only.</summary>
    public static void Raw(this IBufferWriter<byte> output, ReadOnlySpan<byte> ascii) => output.Write(ascii);

    /// <summary>Writes a decimal number.</summary>
    public static void Number(this IBufferWriter<byte> output, ulong value)
    {
        Utf8Formatter.TryFormat(value, output.GetSpan(20), out var written);
        output.Advance(written);
    }

    /// <summary>Writes CRLF.</summary>
    public static void EndLine(this IBufferWriter<byte> output) => output.Write("\r\n"u8);

    /// <summary>Writes a string, quoted where it may be, else a literal with its bytes (a NUL, which no string can hold, becomes <c>?</c>).</summary>
    public static void String(this IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        if (value.Length <= MaxQuotedBytes && Ascii.IsValid(value) && !value.ContainsAny(Unquotable)) output.Quoted(value);
        else output.Literal(value);
    }

    /// <summary>Writes a string, UTF-8 encoded; <c>null</c> is <c>NIL</c>.</summary>
    public static void NString(this IBufferWriter<byte> output, string? value)
    {
        if (value is null) output.Write("NIL"u8);
        else output.Utf8(value, static (output, bytes) => output.String(bytes));
    }

    /// <summary>Writes an astring: an atom where it may be (but <c>NIL</c> is quoted), else as <see cref="String"/> does.</summary>
    public static void AString(this IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        var atom = value.Length is > 0 and <= MaxQuotedBytes && !value.ContainsAnyExcept(Grammar.AtomChars)
            && !Ascii.EqualsIgnoreCase(value, "NIL"u8);
        if (atom) output.Write(value);
        else output.String(value);
    }

    /// <summary>Writes a mailbox name as an astring, in UTF-8 or modified UTF-7.</summary>
    public static void Mailbox(this IBufferWriter<byte> output, MailboxName name, bool utf8)
    {
        if (!utf8) output.AString(ModifiedUtf7.Encode(name.Value));
        else if (Ascii.IsValid(name.Value)) output.Utf8(name.Value, static (output, bytes) => output.AString(bytes));
        else output.Utf8(name.Value, static (output, bytes) =>
        {
            // A session that asked for UTF-8 names takes them in quotes (RFC 6855 section 3, RFC 9051 section 4.3).
            if (bytes.Length <= MailboxName.MaxBytes && !bytes.ContainsAny(Unquotable)) output.Quoted(bytes);
            else output.Literal(bytes);
        });
    }

    /// <summary>Writes <c>{n}</c> CRLF; the caller writes the n bytes next.</summary>
    public static void LiteralHeader(this IBufferWriter<byte> output, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        output.Write("{"u8);
        output.Number((ulong)length);
        output.Write("}\r\n"u8);
    }

    /// <summary>Writes a parenthesised flag list; <paramref name="recent"/> adds <c>\Recent</c>.</summary>
    public static void Flags(this IBufferWriter<byte> output, SystemFlags system, ReadOnlySpan<string> keywords, bool recent, bool any = false)
    {
        output.Write("("u8);
        var first = true;
        foreach (var flag in FlagNames.System)
            if ((system & flag.Flag) != 0) output.ListItem(flag.Name, ref first);
        if (recent) output.ListItem(@"\Recent", ref first);
        foreach (var keyword in keywords)
            if (keyword.Length > 0) output.ListItem(keyword, ref first, Grammar.AtomChars);
        if (any) output.ListItem(@"\*", ref first);
        output.Write(")"u8);
    }

    /// <summary>Writes a date-time in quotes, such as <c>"17-Jul-1996 02:44:25 -0700"</c>.</summary>
    public static void DateTime(this IBufferWriter<byte> output, DateTimeOffset value)
    {
        var text = output.GetSpan(28);
        text[0] = (byte)'"';
        Digits(text[1..3], value.Day);
        if (value.Day < 10) text[1] = (byte)' ';
        text[3] = (byte)'-';
        Grammar.Months.Slice((value.Month - 1) * 3, 3).CopyTo(text[4..]);
        text[7] = (byte)'-';
        Digits(text[8..12], value.Year);
        text[12] = (byte)' ';
        Digits(text[13..15], value.Hour);
        text[15] = (byte)':';
        Digits(text[16..18], value.Minute);
        text[18] = (byte)':';
        Digits(text[19..21], value.Second);
        text[21] = (byte)' ';
        var minutes = (int)value.Offset.TotalMinutes;
        text[22] = minutes < 0 ? (byte)'-' : (byte)'+';
        Digits(text[23..25], Math.Abs(minutes) / 60);
        Digits(text[25..27], Math.Abs(minutes) % 60);
        text[27] = (byte)'"';
        output.Advance(28);
    }

    /// <summary>Writes a sorted list of numbers as a sequence-set with its runs as ranges, such as <c>1:3,7</c>.</summary>
    public static void SequenceSet(this IBufferWriter<byte> output, ReadOnlySpan<uint> ascending)
    {
        for (var start = 0; start < ascending.Length;)
        {
            var end = start;
            while (end + 1 < ascending.Length && ascending[end + 1] <= (ulong)ascending[end] + 1) end++;
            if (start > 0) output.Write(","u8);
            output.Number(ascending[start]);
            if (ascending[end] != ascending[start])
            {
                output.Write(":"u8);
                output.Number(ascending[end]);
            }
            start = end + 1;
        }
    }

    /// <summary>Writes ascending ranges as a sequence-set.</summary>
    public static void Ranges(this IBufferWriter<byte> output, ReadOnlySpan<SequenceRange> ranges)
    {
        for (var i = 0; i < ranges.Length; i++)
        {
            if (i > 0) output.Write(","u8);
            output.Number(ranges[i].First);
            if (ranges[i].First == ranges[i].Last) continue;
            output.Write(":"u8);
            output.Number(ranges[i].Last);
        }
    }

    /// <summary>Writes a whole status response: <c>tag OK [code] text</c> CRLF. <paramref name="tag"/> is <c>*</c> for an untagged one.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="status">OK, NO, BAD, BYE or PREAUTH.</param>
    /// <param name="code">The response code without its brackets, or empty. A constant of ours or made of checked parts.</param>
    /// <param name="text">Human-readable text; control characters and 8-bit are replaced by <c>?</c>, an empty one by the status.</param>
    public static void Status(this IBufferWriter<byte> output, string tag, ImapStatus status, string code, string text)
    {
        var word = status switch
        {
            ImapStatus.Ok => "OK",
            ImapStatus.No => "NO",
            ImapStatus.Bad => "BAD",
            ImapStatus.Bye => "BYE",
            ImapStatus.PreAuth => "PREAUTH",
            _ => throw new ArgumentOutOfRangeException(nameof(status)),
        };
        if (text.Length == 0) text = word;
        output.Printable(tag);
        output.Write(" "u8);
        output.Printable(word);
        if (code.Length > 0)
        {
            output.Write(" ["u8);
            output.Printable(code);
            output.Write("] "u8);
            output.Printable(text);
        }
        else
        {
            output.Write(" "u8);
            // A text that opens with a bracket would be read as a response code.
            output.Printable(text[0] == '[' ? string.Concat("(", text.AsSpan(1)) : text);
        }
        output.Write("\r\n"u8);
    }

    private static void Quoted(this IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        output.Write("\""u8);
        for (int special; (special = value.IndexOfAny(QuotedSpecials)) >= 0; value = value[(special + 1)..])
        {
            output.Write(value[..special]);
            output.Write("\\"u8);
            output.Write(value.Slice(special, 1));
        }
        output.Write(value);
        output.Write("\""u8);
    }

    private static void Literal(this IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        output.LiteralHeader(value.Length);
        for (int nul; (nul = value.IndexOf((byte)0)) >= 0; value = value[(nul + 1)..])
        {
            output.Write(value[..nul]);
            output.Write([Replacement]);
        }
        output.Write(value);
    }

    private static void ListItem(this IBufferWriter<byte> output, string item, ref bool first, SearchValues<byte>? allowed = null)
    {
        if (!first) output.Write(" "u8);
        first = false;
        output.Printable(item, allowed);
    }

    private static void Printable(this IBufferWriter<byte> output, string text, SearchValues<byte>? allowed = null)
    {
        var span = output.GetSpan(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i] is >= ' ' and < '\x7F' ? (byte)text[i] : Replacement;
            span[i] = allowed is null || allowed.Contains(c) ? c : Replacement;
        }
        output.Advance(text.Length);
    }

    private static void Utf8(this IBufferWriter<byte> output, string text, Action<IBufferWriter<byte>, ReadOnlySpan<byte>> write)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            write(output, rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void Digits(Span<byte> target, int value)
    {
        for (var i = target.Length - 1; i >= 0; i--, value /= 10) target[i] = (byte)('0' + value % 10);
    }
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
