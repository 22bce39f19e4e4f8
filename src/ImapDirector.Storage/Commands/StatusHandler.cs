using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>STATUS, from the mailbox's counters: no message is looked at.</summary>
internal static class StatusHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, StatusCommand command)
    {
        if (command.Items.Contains(StatusItem.HighestModSeq)) session.EnableCondStore();
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (access.Refuses(MailboxRights.Read) is { } refused) return refused;
        if (access.Mail.FindStatus(access.Name) is not { } mailbox) return CommandResult.NoSuchMailbox;
        Write(session, command.Mailbox, access, mailbox, command.Items);
        return CommandResult.Ok("Status completed.");
    }

    /// <summary>Writes the response, for LIST as well (RFC 5819).</summary>
    public static void Write(MailSession session, MailboxName name, MailboxAccess access, MailboxRecord mailbox, ImmutableArray<StatusItem> items)
    {
        var output = session.Output;
        output.Raw("* STATUS "u8);
        output.Mailbox(name, session.Enabled.Utf8Names);
        output.Raw(" ("u8);
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0) output.Raw(" "u8);
            switch (items[i])
            {
                case StatusItem.Messages: Item(output, "MESSAGES "u8, mailbox.Messages); break;
                case StatusItem.Recent: Item(output, "RECENT "u8, access.Mail.CountRecent(mailbox)); break;
                case StatusItem.UidNext: Item(output, "UIDNEXT "u8, mailbox.UidNext); break;
                case StatusItem.UidValidity: Item(output, "UIDVALIDITY "u8, mailbox.UidValidity); break;
                case StatusItem.Unseen: Item(output, "UNSEEN "u8, mailbox.Unseen); break;
                case StatusItem.Deleted: Item(output, "DELETED "u8, mailbox.Deleted); break;
                case StatusItem.Size: Item(output, "SIZE "u8, mailbox.SizeBytes); break;
                case StatusItem.HighestModSeq: Item(output, "HIGHESTMODSEQ "u8, mailbox.HighestModSeq); break;
                case StatusItem.MailboxId:
                    output.Raw("MAILBOXID ("u8);
                    output.Raw(Encoding.ASCII.GetBytes(ObjectId.OfMailbox(mailbox.Id, access.ObjectScope)));
                    output.Raw(")"u8);
                    break;
                case StatusItem.AppendLimit: Item(output, "APPENDLIMIT "u8, (ulong)session.Options.MaxMessageBytes); break;
                case StatusItem.DeletedStorage: Item(output, "DELETED-STORAGE "u8, (access.Mail.Store.DeletedBytes(mailbox.Id) + 1023) / 1024); break;
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
