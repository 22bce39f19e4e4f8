namespace ImapDirector.Storage.Store.Mime;

/// <summary>Computes what FETCH and SEARCH need of a message, once, at its arrival.</summary>
internal static class MessageSummarizer
{
    /// <param name="message">The message from its first byte; seekable. It is read once and never held in memory as a whole.</param>
    /// <param name="ct">Ends the reading between two blocks.</param>
    /// <remarks>Total: any bytes have a summary. Only reading the stream can fail.</remarks>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static MessageSummary Summarize(Stream message, CancellationToken ct = default) => throw new NotImplementedException();
}
