using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>STORE and UID STORE, conditional where the client asks for it (RFC 7162 section 3.1.3).</summary>
internal static class StoreHandler
{
    private const int LargeBatch = 100_000;

    public static async ValueTask<CommandResult> RunAsync(MailSession session, StoreCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (selected.ReadOnly) return CommandResult.ReadOnly;
        if (selected.Resolve(command.Messages, command.ByUid) is not { } places) return CommandResult.InvalidMessageSet;
        if (command.UnchangedSince is not null) session.EnableCondStore();

        // Flags that may not be changed are passed over, as long as one may be (RFC 4314 section 4).
        var permitted = selected.PermittedFlags;
        var flags = permitted.Of(command.Flags);
        if (permitted.AreNone || (command.Operation != StoreOperation.Replace && flags.IsEmpty && !command.Flags.IsEmpty)) return CommandResult.NoPermission;

        var change = new FlagChange(command.Operation, flags, command.UnchangedSince) { Permitted = permitted };
        var modified = new List<uint>();
        var expunged = false;
        foreach (var uids in MessageBatches.Of(selected, places, IsQuick(command) ? LargeBatch : MessageBatches.DefaultSize))
        {
            session.Turns.End();
            var outcome = await selected.Mail.StoreFlagsAsync(selected.Shared, uids, change, selected.Cursor);
            if (outcome is null) return CommandResult.TooManyKeywords;
            selected.Read();
            expunged |= outcome.Found < uids.Length;
            modified.AddRange(outcome.Modified);
            if (!command.Silent || session.Enabled.CondStore) await TellAsync(session, selected, command, uids, outcome);
        }
        var code = modified.Count > 0 ? Modified(selected, modified, command.ByUid) : "";
        return expunged && !command.ByUid
            ? CommandResult.No(code.Length > 0 ? code : "EXPUNGEISSUED", "Some of the messages no longer exist.")
            : CommandResult.Ok(modified.Count > 0 ? "Some of the messages were changed meanwhile." : "Store completed.", code);
    }

    /// <summary>System flags of many messages are added and removed in the time of one commit.</summary>
    private static bool IsQuick(StoreCommand command) => command.Operation != StoreOperation.Replace && command.Flags.Keywords.IsEmpty;

    /// <summary>A client that asked for silence still needs the new mod-sequences, of what really changed and of what it named a condition for.</summary>
    private static async ValueTask TellAsync(MailSession session, SelectedMailbox selected, StoreCommand command, uint[] uids, FlagChangeOutcome outcome)
    {
        selected.TellKeywords(session.Output);
        var leftAlone = outcome.Modified.ToHashSet();
        for (var start = 0; start < uids.Length; start += MessageBatches.DefaultSize)
        {
            foreach (var message in selected.Shared.Find(uids.AsSpan(start, Math.Min(MessageBatches.DefaultSize, uids.Length - start))))
            {
                if (message is null || leftAlone.Contains(message.Uid)) continue;
                var sequence = selected.SequenceOf(message.Uid);
                if (!command.Silent) selected.WriteFlags(session.Output, sequence, message, command.ByUid);
                else if (command.UnchangedSince is not null || message.ModSeq == outcome.ModSeq)
                    selected.WriteModSeq(session.Output, sequence, message, command.ByUid || session.Enabled.QResync);
                await session.Output.FlushIfLargeAsync();
            }
            await session.Turns.NextAsync();
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
