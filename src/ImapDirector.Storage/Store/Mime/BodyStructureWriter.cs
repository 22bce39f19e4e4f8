using System.Buffers;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Writes BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2). The recursion is bounded by <see cref="PartScanner.MaxDepth"/>, and the
/// parentheses with it (limits N8).</summary>
internal static class BodyStructureWriter
{
    // A multipart has parts; one that turned out to have none is said to have an empty one.
    private static readonly byte[] EmptyPart = "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"u8.ToArray();

    public static void Write(IBufferWriter<byte> output, MimePart part, bool isExtended)
    {
        output.Raw("("u8);
        if (part is { IsMultipart: true, Boundary.Length: > 0 }) WriteMultipart(output, part, isExtended);
        else WriteSingle(output, part, isExtended);
        output.Raw(")"u8);
    }

    private static void WriteMultipart(IBufferWriter<byte> output, MimePart part, bool isExtended)
    {
        foreach (var child in part.Children) Write(output, child, isExtended);
        if (part.Children.Count == 0)
        {
            output.Raw(EmptyPart);
            output.Raw(isExtended ? " NIL NIL NIL NIL)"u8 : ")"u8);
        }
        output.Raw(" "u8);
        output.String(part.Type.Subtype);
        if (!isExtended) return;
        output.Raw(" "u8);
        WriteParameters(output, part.Type.Parameters, withCharset: false);
        WriteDisposition(output, part.Header);
    }

    private static void WriteSingle(IBufferWriter<byte> output, MimePart part, bool isExtended)
    {
        var isText = part.Type.Is("text");
        var message = part.IsEmbeddedMessage ? part.Children.FirstOrDefault() : null;
        output.String(part.ShownType.Type);
        output.Raw(" "u8);
        output.String(part.ShownType.Subtype);
        output.Raw(" "u8);
        WriteParameters(output, part.Type.Parameters, withCharset: isText && part.Type.Find("charset") is null);
        output.Raw(" "u8);
        output.NBytes(part.Header.Find("Content-ID"));
        output.Raw(" "u8);
        output.NBytes(part.Header.Find("Content-Description"));
        output.Raw(" "u8);
        output.String(TransferEncoding.Of(part.Header));
        output.Raw(" "u8);
        output.Number((ulong)part.BodyBytes);
        if (message is not null)
        {
            output.Raw(" "u8);
            EnvelopeWriter.Write(output, message.Header);
            output.Raw(" "u8);
            Write(output, message, isExtended);
        }
        if (isText || message is not null)
        {
            output.Raw(" "u8);
            output.Number((ulong)part.Lines);
        }
        if (!isExtended) return;
        output.Raw(" "u8);
        output.NBytes(part.Header.Find("Content-MD5"));
        WriteDisposition(output, part.Header);
    }

    /// <summary>Disposition, language and location: what ends the extension data of every part.</summary>
    private static void WriteDisposition(IBufferWriter<byte> output, HeaderFields header)
    {
        if (ContentType.ParseDisposition(header.Find("Content-Disposition")) is { } disposition)
        {
            output.Raw(" ("u8);
            output.String(disposition.Type);
            output.Raw(" "u8);
            WriteParameters(output, disposition.Parameters, withCharset: false);
            output.Raw(")"u8);
        }
        else
        {
            output.Raw(" NIL"u8);
        }
        WriteLanguages(output, header.Find("Content-Language"));
        output.Raw(" "u8);
        output.NBytes(header.Find("Content-Location"));
    }

    private static void WriteLanguages(IBufferWriter<byte> output, byte[]? value)
    {
        var lexer = new MimeLexer(value);
        var count = 0;
        while (count < ContentType.MaxParameters && lexer.TryToken(out var language))
        {
            output.Raw(count++ == 0 ? " ("u8 : " "u8);
            output.String(language);
            if (!lexer.TrySkip((byte)',')) break;
        }
        output.Raw(count == 0 ? " NIL"u8 : ")"u8);
    }

    private static void WriteParameters(IBufferWriter<byte> output, List<(byte[] Name, byte[] Value)> parameters, bool withCharset)
    {
        if (parameters.Count == 0 && !withCharset)
        {
            output.Raw("NIL"u8);
            return;
        }
        output.Raw("("u8);
        for (var i = 0; i < parameters.Count; i++)
        {
            if (i > 0) output.Raw(" "u8);
            output.String(parameters[i].Name);
            output.Raw(" "u8);
            output.String(parameters[i].Value);
        }
        // RFC 2045 section 5.2: text that does not say is US-ASCII.
        if (withCharset) output.Raw(parameters.Count > 0 ? " \"charset\" \"us-ascii\""u8 : "\"charset\" \"us-ascii\""u8);
        output.Raw(")"u8);
    }
}
