using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>The Content-* fields of a part (RFC 2045, RFC 2183, RFC 3282, RFC 2557, RFC 1864), those for BODYSTRUCTURE ready to send.
/// Of a field that comes more than once the first counts.</summary>
internal sealed class ContentFields
{
    private const string DefaultEncoding = "7bit";

    public MediaType? MediaType { get; private set; }

    public byte[]? Id { get; private set; }

    public byte[]? Description { get; private set; }

    public byte[]? Md5 { get; private set; }

    public byte[]? Location { get; private set; }

    /// <summary>The parenthesised languages.</summary>
    public byte[]? Language { get; private set; }

    /// <summary>The parenthesised disposition with its parameters.</summary>
    public byte[]? Disposition { get; private set; }

    public byte[]? TransferEncoding { get; private set; }

    /// <summary>The transfer encoding in lower case.</summary>
    public string EncodingName { get; private set; } = DefaultEncoding;

    private bool _hasDispositionParameters;

    public void Take(HeaderField field, ReadOnlySpan<byte> value)
    {
        switch (field)
        {
            case HeaderField.ContentType:
                MediaType ??= MediaType.Parse(value);
                break;
            case HeaderField.ContentTransferEncoding when TransferEncoding is null:
                TakeEncoding(value);
                break;
            case HeaderField.ContentDisposition when !_hasDispositionParameters:
                TakeDisposition(value);
                break;
            case HeaderField.ContentLanguage when Language is null:
                TakeLanguage(value);
                break;
            case HeaderField.ContentLocation:
                Location ??= Formatted(value);
                break;
            case HeaderField.ContentMd5:
                Md5 ??= Formatted(value);
                break;
            case HeaderField.ContentId:
                Id ??= Formatted(value);
                break;
            case HeaderField.ContentDescription:
                Description ??= Formatted(value);
                break;
        }
    }

    private void TakeEncoding(ReadOnlySpan<byte> value)
    {
        var cursor = new HeaderCursor(value, comment: null);
        var token = new ArrayBufferWriter<byte>();
        if (cursor.SkipSpace() != Progress.More || cursor.Token(token) != Progress.End || token.WrittenCount == 0) return;
        TransferEncoding = Formatted(token.WrittenSpan);
        EncodingName = Encoding.Latin1.GetString(token.WrittenSpan).ToLowerInvariant();
    }

    private void TakeDisposition(ReadOnlySpan<byte> value)
    {
        var cursor = new HeaderCursor(value, comment: null);
        var token = new ArrayBufferWriter<byte>();
        cursor.SkipSpace();
        if (cursor.Token(token) == Progress.Broken) return;
        var parameters = ParameterList.Read(ref cursor);
        _hasDispositionParameters = parameters.Count > 0;

        var output = new ArrayBufferWriter<byte>();
        output.Raw("("u8);
        output.Text(token.WrittenSpan);
        if (_hasDispositionParameters)
        {
            output.Raw(" ("u8);
            parameters.Write(output);
            output.Raw(")"u8);
        }
        else
        {
            output.Raw(" NIL"u8);
        }
        output.Raw(")"u8);
        Disposition = output.WrittenSpan.ToArray();
    }

    private void TakeLanguage(ReadOnlySpan<byte> value)
    {
        var cursor = new HeaderCursor(value, comment: null);
        var output = new ArrayBufferWriter<byte>();
        var tag = new ArrayBufferWriter<byte>();
        if (cursor.SkipSpace() != Progress.More) return;
        while (cursor.Atom(tag) is var progress and not Progress.Broken)
        {
            output.Raw(output.WrittenCount == 0 ? "("u8 : " "u8);
            output.Text(tag.WrittenSpan);
            tag.ResetWrittenCount();
            if (progress == Progress.End || !cursor.TryTake((byte)',') || cursor.SkipSpace() != Progress.More) break;
        }
        if (output.WrittenCount == 0) return;
        output.Raw(")"u8);
        Language = output.WrittenSpan.ToArray();
    }

    private static byte[] Formatted(ReadOnlySpan<byte> value)
    {
        var output = new ArrayBufferWriter<byte>();
        output.Text(value);
        return output.WrittenSpan.ToArray();
    }
}
