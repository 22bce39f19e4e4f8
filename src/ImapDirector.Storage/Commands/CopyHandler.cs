using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>COPY, MOVE (RFC 6851) and their UID forms, with COPYUID (RFC 4315). All or nothing.</summary>
internal static class CopyHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, CopyCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (command.Move && selected.ReadOnly) return CommandResult.ReadOnly;
        if (command.Move && !selected.Allows(MailboxRights.DeleteMessages | MailboxRights.Expunge)) return CommandResult.NoPermission;
        if (selected.Resolve(command.Messages, command.ByUid) is not { } places) return CommandResult.InvalidMessageSet;

        var uids = new List<uint>();
        foreach (var (first, last) in places) uids.AddRange(selected.Uids[first..(last + 1)]);
        // UIDs that do not exist any more are passed over like those that never did (RFC 3501 section 6.4.8).
        if (command.ByUid) uids.RemoveAll(uid => selected.Shared.Find(uid) is null);

        await using var target = await session.Mailboxes.FindAsync(command.Mailbox);
        if (target.Refuses(MailboxRights.Insert, CommandResult.TryCreate) is { } refused) return refused;
        session.Turns.Pause();
        CopyOutcome outcome;
        if (target.Mail == selected.Mail && new PermittedFlags(target.Rights).AreAll)
        {
            outcome = await selected.Mail.CopyAsync(selected.Shared, uids, target.Name, command.Move);
        }
        else
        {
            (outcome, var cannot) = await CopyAcrossUsers.RunAsync(session, selected, uids, target, command.Move);
            if (cannot is { } why) return why;
        }
        switch (outcome.Result)
        {
            case CopyResult.NoTarget:
                return CommandResult.TryCreate;
            case CopyResult.Expunged:
                return CommandResult.No("EXPUNGEISSUED", "Some of the messages no longer exist.");
            case CopyResult.TooManyKeywords:
                return CommandResult.TooManyKeywords;
        }
        var text = command.Move ? "Move completed." : "Copy completed.";
        if (outcome.Copies.Count == 0) return CommandResult.Ok(text);
        var code = CopyUid(outcome);
        if (!command.Move) return CommandResult.Ok(text, code);
        // Before the EXPUNGEs, so that the client knows where its messages went when they leave (RFC 6851 section 4.3).
        session.Output.Status("*", ImapStatus.Ok, code, "Moved.");
        return CommandResult.Ok(text) with { TellsHighestModSeq = session.Enabled.QResync };
    }

    private static string CopyUid(CopyOutcome outcome)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Raw("COPYUID "u8);
        text.Number(outcome.UidValidity);
        text.Raw(" "u8);
        text.SequenceSet([.. outcome.Copies.Select(static copy => copy.SourceUid)]);
        text.Raw(" "u8);
        text.SequenceSet([.. outcome.Copies.Select(static copy => copy.Copy.Uid)]);
        return Encoding.ASCII.GetString(text.WrittenSpan);
    }
}
