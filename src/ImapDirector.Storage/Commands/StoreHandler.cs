using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>STORE and UID STORE, conditional where the client asks for it (RFC 7162 section 3.1.3).</summary>
internal static class StoreHandler
{
    // Within what the log of changes keeps, so that this session need not compare its whole view afterwards.
    private const int LargeBatch = 5000;

    public static async ValueTask<CommandResult> RunAsync(MailSession session, StoreCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (selected.ReadOnly) return CommandResult.ReadOnly;
        if (selected.Resolve(command.Messages, command.ByUid) is not { } places) return CommandResult.InvalidMessageSet;
        if (command.UnchangedSince is not null) session.EnableCondStore();

        var change = new FlagChange(command.Operation, command.Flags, command.UnchangedSince);
        var modified = new List<uint>();
        var expunged = false;
        foreach (var uids in MessageBatches.Of(selected, places, IsOneStatement(command) ? LargeBatch : MessageBatches.DefaultSize))
        {
            var before = command.Silent && session.Enabled.CondStore ? selected.Shared.Find(uids) : null;
            var outcome = await session.Mail.StoreFlagsAsync(selected.Shared, uids, change, selected.Cursor, CancellationToken.None);
            if (outcome is null) return CommandResult.TooManyKeywords;
            selected.Read();
            expunged |= outcome.Messages.Count + outcome.Modified.Count < uids.Length;
            modified.AddRange(outcome.Modified);
            if (before is not null) await TellModSeqsAsync(session, selected, command, before, outcome.Messages);
            else if (!command.Silent) await TellFlagsAsync(session, selected, command, outcome.Messages);
        }
        var code = modified.Count > 0 ? Modified(selected, modified, command.ByUid) : "";
        return expunged && !command.ByUid
            ? CommandResult.No(code.Length > 0 ? code : "EXPUNGEISSUED", "Some of the messages no longer exist.")
            : CommandResult.Ok(modified.Count > 0 ? "Some of the messages were changed meanwhile." : "Store completed.", code);
    }

    /// <summary>System flags are added and removed by one statement of SQL, which is done with thousands of messages as quickly as the disk is with one commit.</summary>
    private static bool IsOneStatement(StoreCommand command) => command.Operation != StoreOperation.Replace && command.Flags.Keywords.IsEmpty;

    private static async ValueTask TellFlagsAsync(MailSession session, SelectedMailbox selected, StoreCommand command, IReadOnlyList<MessageRecord> messages)
    {
        selected.TellKeywords(session.Output);
        foreach (var message in messages)
        {
            selected.WriteFlags(session.Output, selected.SequenceOf(message.Uid), message, command.ByUid);
            await session.Output.FlushIfLargeAsync();
        }
    }

    /// <summary>A client that asked for silence still needs the new mod-sequences, of what really changed and of what it named a condition for.</summary>
    private static async ValueTask TellModSeqsAsync(MailSession session, SelectedMailbox selected, StoreCommand command, MessageRecord?[] before,
        IReadOnlyList<MessageRecord> messages)
    {
        var known = before.OfType<MessageRecord>().ToDictionary(static message => message.Uid, static message => message.ModSeq);
        foreach (var message in messages)
        {
            if (command.UnchangedSince is null && known.GetValueOrDefault(message.Uid) == message.ModSeq) continue;
            SelectedMailbox.WriteModSeq(session.Output, selected.SequenceOf(message.Uid), message, command.ByUid || session.Enabled.QResync);
            await session.Output.FlushIfLargeAsync();
        }
    }

    private static string Modified(SelectedMailbox selected, List<uint> uids, bool byUid)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        text.Raw("MODIFIED "u8);
        text.SequenceSet([.. byUid ? uids : uids.Select(selected.SequenceOf)]);
        return Encoding.ASCII.GetString(text.WrittenSpan);
    }
}
