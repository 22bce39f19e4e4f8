using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>Copies messages from one user's store into another's, where each user's quota counts, or into a mailbox that takes only some of their flags.
/// The copies are there all or none; a move removes the originals once the copies are on disk, so that a crash between the two leaves both.</summary>
internal static class CopyAcrossUsers
{
    /// <summary>Messages of one command: their bytes are in hand until all are stored.</summary>
    private const int MaxMessages = 1000;

    /// <summary>All messages of one command together, as a multiple of the largest one.</summary>
    private const int MaxTotal = 4;

    private const int PieceBytes = 64 * 1024;

    /// <returns>What was copied; a refusal where nothing was.</returns>
    public static async ValueTask<(CopyOutcome Outcome, CommandResult? Refused)> RunAsync(MailSession session, SelectedMailbox selected, List<uint> uids,
        MailboxAccess target, bool move)
    {
        if (target.Mail.FindStatus(target.Name) is not { } mailbox) return (CopyOutcome.NoTarget, null);
        if (uids.Count == 0) return (new CopyOutcome(CopyResult.Done, mailbox.UidValidity, []), null);
        var originals = selected.Shared.Find(uids.ToArray());
        if (originals.Contains(null)) return (CopyOutcome.Expunged, null);
        if (originals.Length > MaxMessages || originals.Sum(static message => (long)message!.SizeBytes) > MaxTotal * session.Options.MaxMessageBytes)
            return (CopyOutcome.NoTarget, CommandResult.No("LIMIT", "Too much for one command."));

        var permitted = new PermittedFlags(target.Rights);
        var keywords = originals.SelectMany(static message => message!.Keywords).Distinct(StringComparer.OrdinalIgnoreCase);
        var all = permitted.Of(new FlagList(SystemFlags.None, [.. keywords]));
        if (!await target.Mail.HasRoomForKeywordsAsync(target.Name, all)) return (CopyOutcome.TooManyKeywords, null);
        await using var spools = new SpoolGroup(session.SpoolDirectory);
        var copies = new List<NewMessage>(originals.Length);
        try
        {
            foreach (var message in originals)
            {
                var spool = new MessageSpool(spools);
                copies.Add(new NewMessage(spool, permitted.Of(new FlagList(message!.Flags, message.Keywords)), message.InternalDate));
                if (!await TryReadAsync(selected, message, spool)) return (CopyOutcome.Expunged, null);
            }
            if (await target.Mail.AppendAsync(target.Name, copies, CancellationToken.None) is not { } added) return (CopyOutcome.NoTarget, null);
            if (move) await selected.Mail.RemoveAsync(selected.Shared, uids);
            return (new CopyOutcome(CopyResult.Done, added.UidValidity, [.. uids.Zip(added.Messages)]), null);
        }
        finally
        {
            foreach (var copy in copies) await copy.Content.DisposeAsync();
        }
    }

    private static async ValueTask<bool> TryReadAsync(SelectedMailbox selected, MessageRecord message, MessageSpool spool)
    {
        try
        {
            await using var content = selected.Mail.Store.Contents.Open(message.ContentId);
            var piece = new byte[(int)Math.Min(PieceBytes, Math.Max(message.SizeBytes, 1))];
            for (int read; (read = await content.ReadAsync(piece)) > 0;) await spool.WriteAsync(piece.AsMemory(0, read), CancellationToken.None);
            return true;
        }
        catch (StoreException) when (selected.Shared.Find(message.Uid) is null)
        {
            // Expunged by another session meanwhile.
            return false;
        }
    }
}
