using System.Buffers;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Computes what FETCH and SEARCH need of a message, once, at its arrival.</summary>
internal static class MessageSummarizer
{
    /// <param name="message">The message from its first byte; seekable. It is read once and never held in memory as a whole.</param>
    /// <param name="ct">Ends the reading between two blocks.</param>
    /// <remarks>Total: any bytes have a summary. Only reading the stream can fail. Offsets and octet counts are of the bytes as they are, also
    /// where lines end with a bare LF.</remarks>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static MessageSummary Summarize(Stream message, CancellationToken ct = default) => Examine(message, ct).Summary;

    /// <summary>As <see cref="Summarize"/>, with what SORT and THREAD compare.</summary>
    public static (MessageSummary Summary, SortKeys Keys) Examine(Stream message, CancellationToken ct = default)
    {
        var root = PartScanner.Scan(message, ct);
        var output = new ArrayBufferWriter<byte>();
        root.Envelope!.Write(output);
        var envelope = Drain(output);
        new BodyStructureWriter(output, extended: false).Write(root);
        var body = Drain(output);
        new BodyStructureWriter(output, extended: true).Write(root);
        return (new MessageSummary(envelope, body, Drain(output), PartTable.Of(root), root.Envelope.SentDate, root.Facts!.Texts), root.Facts.Keys());
    }

    private static byte[] Drain(ArrayBufferWriter<byte> output)
    {
        var bytes = output.WrittenSpan.ToArray();
        output.ResetWrittenCount();
        return bytes;
    }
}
