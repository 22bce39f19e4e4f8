using System.Text;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>Writes a user's mail as Maildir++: INBOX is the directory itself, other mailboxes are folders <c>.A.B</c> in it.</summary>
/// <param name="directory">An empty directory that exists.</param>
/// <param name="keepUids">Whether <c>dovecot-uidlist</c> files are written.</param>
internal sealed class MaildirExport(string directory, bool keepUids)
{
    public void Run(StoreSnapshot snapshot, ExportTarget target)
    {
        foreach (var (mailbox, name) in target.Mailboxes())
        {
            var folder = mailbox.Name.IsInbox ? directory : Path.Combine(directory, "." + name);
            foreach (var part in new[] { "cur", "new", "tmp" }) UserStorePath.Make(Path.Combine(folder, part));
            if (!mailbox.Name.IsInbox) ExportTarget.Write(Path.Combine(folder, "maildirfolder"), "");
            WriteMailbox(mailbox, target.ListMessages(mailbox), folder, target);
        }
        SubscriptionList.Write(directory, snapshot);
    }

    private void WriteMailbox(SnapshotMailbox mailbox, List<MessageRecord> messages, string folder, ExportTarget target)
    {
        var flags = MaildirFlags.Of(messages, out var leftOut);
        if (leftOut > 0)
            target.Tell(FormattableString.Invariant($"{StoreCondition.Shown(mailbox.Name.Value)} has {leftOut} keywords more than the {MaildirFlags.MaxKeywords} a Maildir can have"), "the ones used least are left out");
        if (flags.Write() is { Length: > 0 } keywords) ExportTarget.Write(Path.Combine(folder, MaildirFlags.KeywordsFile), keywords);
        using var uids = keepUids ? new StreamWriter(ExportTarget.Create(Path.Combine(folder, UidList.FileName)), new UTF8Encoding(false)) : null;
        uids?.Write(UidList.Header(mailbox.UidValidity, mailbox.UidNext));
        foreach (var (message, content, ends) in target.Messages(mailbox, messages))
        {
            // UIDVALIDITY is a time, too, so the name is what a Maildir's names are: a time, something unique, the host; and files sort as their UIDs do.
            var name = FormattableString.Invariant($"{mailbox.UidValidity}.U{message.Uid:D10}.imapdirector,S={ends.FileBytes},W={ends.NetworkBytes}");
            using (var file = ExportTarget.Create(Path.Combine(folder, "cur", name + MaildirFlags.Mark + flags.Encode(message))))
            {
                if (ends.AreAllCrLf) WriteLines(content, file);
                else content.CopyTo(file);
                file.Flush();
                File.SetLastWriteTimeUtc(file.SafeFileHandle, message.InternalDate.UtcDateTime);
            }
            uids?.Write(UidList.Line(message.Uid, name));
        }
    }

    private static void WriteLines(Stream content, FileStream file)
    {
        var lines = new LinePieces(content);
        while (lines.MoveNext())
        {
            file.Write(lines.Text.Span);
            if (lines.EndsLine) file.WriteByte((byte)'\n');
        }
    }
}
