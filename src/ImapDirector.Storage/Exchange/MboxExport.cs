using System.Text;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>Writes a user's mail as mboxrd, a file for each mailbox.</summary>
/// <param name="directory">An empty directory that exists.</param>
internal sealed class MboxExport(string directory)
{
    public void Run(StoreSnapshot snapshot, ExportTarget target)
    {
        foreach (var (mailbox, name) in target.Mailboxes())
        {
            using var file = ExportTarget.Create(Path.Combine(directory, name + MboxHeader.FileSuffix));
            foreach (var (message, content, _) in target.Messages(mailbox, target.ListMessages(mailbox))) Write(message, content, file);
        }
        SubscriptionList.Write(directory, snapshot);
    }

    private static void Write(MessageRecord message, Stream content, FileStream file)
    {
        file.Write(Encoding.ASCII.GetBytes(MboxHeader.Write(message)));
        var lines = new LinePieces(content);
        var (isHeader, isLeftOut, endsLine) = (true, false, true);
        string? field = null;
        while (lines.MoveNext())
        {
            if (lines.BeginsLine)
            {
                isHeader &= !lines.IsEmptyLine;
                var isMore = field is not null && MboxHeader.CanBeFolded(field) && lines.Text.Span is [(byte)' ' or (byte)'\t', ..];
                if (!isMore) field = MboxHeader.FieldOf(lines.Text.Span);
                isLeftOut = isHeader && field is not null;
                if (!isLeftOut && MboxHeader.IsQuotedFrom(lines.Text.Span, atLeast: 0)) file.WriteByte((byte)'>');
            }
            if (isLeftOut) continue;
            file.Write(lines.Text.Span);
            endsLine = lines.EndsLine;
            if (endsLine) file.WriteByte((byte)'\n');
        }
        file.Write(endsLine ? "\n"u8 : "\n\n"u8);
    }
}
