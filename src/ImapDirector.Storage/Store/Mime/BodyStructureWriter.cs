using System.Buffers;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Writes BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2). Goes down with the parts, so at most <see cref="MimeLimits.MaxLevels"/> deep; with
/// what is in a part the parentheses nest a few deeper, which clients that stop at 110, as Dovecot does, can read.</summary>
/// <param name="output">Where to.</param>
/// <param name="extended">Whether the extension data is wanted, as in BODYSTRUCTURE.</param>
internal readonly struct BodyStructureWriter(IBufferWriter<byte> output, bool extended)
{
    public void Write(MimePart part)
    {
        output.Raw("("u8);
        if (part.Kind == PartKind.Multipart) WriteMultipart(part);
        else WriteSingle(part);
        output.Raw(")"u8);
    }

    private void WriteMultipart(MimePart part)
    {
        var content = part.Content;
        foreach (var child in part.Children) Write(child);
        // The grammar asks for at least one part.
        if (part.Children.Count == 0) output.Raw(extended
            ? """("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)"""u8
            : """("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)"""u8);
        output.Raw(" "u8);
        output.Text(content.MediaType!.Subtype);
        if (!extended) return;
        WriteParameters(part);
        WriteExtension(content);
    }

    private void WriteSingle(MimePart part)
    {
        var content = part.Content;
        WriteType(part);
        WriteParameters(part);
        Item(content.Id);
        Item(content.Description);
        Item(content.TransferEncoding ?? "\"7bit\""u8);
        Item(part.End - part.BodyStart);
        if (part.Kind == PartKind.Message)
        {
            var message = part.Children[0];
            output.Raw(" "u8);
            message.Envelope!.Write(output);
            output.Raw(" "u8);
            Write(message);
        }
        if (part.IsText || part.Kind == PartKind.Message) Item(part.BodyLines);
        if (!extended) return;
        Item(content.Md5);
        WriteExtension(content);
    }

    private void WriteType(MimePart part)
    {
        switch (part.Kind)
        {
            case PartKind.Message:
                output.Raw("\"message\" \"rfc822\""u8);
                break;
            case PartKind.Opaque:
                output.Raw("\"application\" \"octet-stream\""u8);
                break;
            default:
                output.Text(part.Content.MediaType is { } type ? type.Type : "text"u8);
                output.Raw(" "u8);
                output.Text(part.Content.MediaType is { } withSubtype ? withSubtype.Subtype : "plain"u8);
                break;
        }
    }

    private void WriteParameters(MimePart part)
    {
        var parameters = part.Content.MediaType?.Parameters;
        var hasParameters = parameters is { Count: > 0 };
        var lacksCharset = part.IsText && parameters?.Find("charset"u8) is null;
        if (!hasParameters && !lacksCharset)
        {
            output.Raw(" NIL"u8);
            return;
        }
        output.Raw(" ("u8);
        if (hasParameters) parameters!.Write(output);
        if (hasParameters && lacksCharset) output.Raw(" "u8);
        // RFC 2045 section 5.2.
        if (lacksCharset) output.Raw("\"charset\" \"us-ascii\""u8);
        output.Raw(")"u8);
    }

    private void WriteExtension(ContentFields content)
    {
        Item(content.Disposition);
        Item(content.Language);
        Item(content.Location);
    }

    private void Item(byte[]? formatted) => Item(formatted is null ? "NIL"u8 : formatted.AsSpan());

    private void Item(ReadOnlySpan<byte> formatted)
    {
        output.Raw(" "u8);
        output.Raw(formatted);
    }

    private void Item(long number)
    {
        output.Raw(" "u8);
        output.Number((ulong)number);
    }
}
