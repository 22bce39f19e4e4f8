namespace ImapDirector.Storage.Store.Mime;

/// <summary>A part's Content-Transfer-Encoding (RFC 2045 section 6).</summary>
internal static class TransferEncoding
{
    private static readonly byte[] SevenBit = "7bit"u8.ToArray();

    /// <summary>As written; <c>7bit</c> where nothing is said, or nothing that makes sense.</summary>
    public static byte[] Of(HeaderFields header)
    {
        var lexer = new MimeLexer(header.Find("Content-Transfer-Encoding"));
        return lexer.TryToken(out var encoding) && lexer.IsAtEnd ? encoding.ToArray() : SevenBit;
    }
}
