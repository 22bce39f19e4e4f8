using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches): ranges of UIDs, from the highest down, that hold so many messages each.</summary>
internal static class UidBatchesHandler
{
    /// <summary>The smallest batch that may be asked for, as the draft has it.</summary>
    private const uint MinSize = 500;

    public static async ValueTask<CommandResult> RunAsync(MailSession session, UidBatchesCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (command.Size < MinSize) return CommandResult.No("TOOFEW", $"A batch has at least {MinSize} messages.");
        var wanted = command.Batches ?? new SequenceRange(1, uint.MaxValue);
        if (wanted.First > wanted.Last) return new CommandResult(ImapStatus.Bad, "CLIENTBUG", "The range of batches is the wrong way round.");
        var output = session.Output;
        output.Raw("* UIDBATCHES (TAG \""u8);
        output.Raw(Encoding.ASCII.GetBytes(command.Tag));
        output.Raw("\")"u8);
        var isFirst = true;
        for (var batch = (ulong)wanted.First; batch <= wanted.Last; batch++)
        {
            var (end, start) = Places(selected.Count, command.Size, batch);
            if (end <= 0) break;
            output.Raw(isFirst ? " "u8 : ","u8);
            output.Number(selected.Uids[end - 1]);
            output.Raw(":"u8);
            // Down to the next one, so that no UID is between two batches.
            output.Number(start == 0 ? 1 : selected.Uids[start - 1] + 1);
            isFirst = false;
            await output.FlushIfLargeAsync();
        }
        output.EndLine();
        return CommandResult.Ok("Uidbatches completed.");
    }

    private static (int End, int Start) Places(int count, uint size, ulong batch)
    {
        var before = (batch - 1) * size;
        if (before >= (ulong)count) return (0, 0);
        var end = count - (int)before;
        return (end, (int)Math.Max(0, end - (long)size));
    }
}
