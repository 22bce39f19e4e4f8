namespace ImapDirector.Storage.Store.Mime;
internal static class MessageSummarizer
{
    public static MessageSummary Summarize(Stream message, CancellationToken ct = default) =>
        new("()"u8.ToArray(), "()"u8.ToArray(), "()"u8.ToArray(), [new PartRecord("", true, 0, 0, (int)message.Length, "text/plain", null, "7bit")], null);
}
