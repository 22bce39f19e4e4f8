using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>STATUS, from the mailbox's counters: no message is looked at.</summary>
internal static class StatusHandler
{
    public static ValueTask<CommandResult> RunAsync(MailSession session, StatusCommand command)
    {
        if (command.Items.Contains(StatusItem.HighestModSeq)) session.EnableCondStore();
        if (session.Mail.FindStatus(command.Mailbox) is not { } mailbox) return ValueTask.FromResult(CommandResult.NoSuchMailbox);
        Write(session, mailbox, command.Items);
        return ValueTask.FromResult(CommandResult.Ok("Status completed."));
    }

    public static void Write(MailSession session, MailboxRecord mailbox, ImmutableArray<StatusItem> items)
    {
        var output = session.Output;
        output.Raw("* STATUS "u8);
        output.Mailbox(mailbox.Name, session.Enabled.Utf8Names);
        output.Raw(" ("u8);
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0) output.Raw(" "u8);
            switch (items[i])
            {
                case StatusItem.Messages: Item(output, "MESSAGES "u8, mailbox.Messages); break;
                case StatusItem.Recent: Item(output, "RECENT "u8, session.Mail.CountRecent(mailbox)); break;
                case StatusItem.UidNext: Item(output, "UIDNEXT "u8, mailbox.UidNext); break;
                case StatusItem.UidValidity: Item(output, "UIDVALIDITY "u8, mailbox.UidValidity); break;
                case StatusItem.Unseen: Item(output, "UNSEEN "u8, mailbox.Unseen); break;
                case StatusItem.Deleted: Item(output, "DELETED "u8, mailbox.Deleted); break;
                case StatusItem.Size: Item(output, "SIZE "u8, mailbox.SizeBytes); break;
                case StatusItem.HighestModSeq: Item(output, "HIGHESTMODSEQ "u8, mailbox.HighestModSeq); break;
                case StatusItem.MailboxId:
                    output.Raw("MAILBOXID ("u8);
                    output.Raw(Encoding.ASCII.GetBytes(ObjectId.OfMailbox(mailbox.Id)));
                    output.Raw(")"u8);
                    break;
                case StatusItem.AppendLimit: Item(output, "APPENDLIMIT "u8, (ulong)session.Options.MaxMessageBytes); break;
                case StatusItem.DeletedStorage: Item(output, "DELETED-STORAGE "u8, (session.Mail.Store.DeletedBytes(mailbox.Id) + 1023) / 1024); break;
                default: throw new InvalidOperationException($"The status item {items[i]} has no answer.");
            }
        }
        output.Raw(")\r\n"u8);
    }

    private static void Item(ResponseStream output, ReadOnlySpan<byte> name, ulong value)
    {
        output.Raw(name);
        output.Number(value);
    }
}
