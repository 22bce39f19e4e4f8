using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>FETCH and UID FETCH: message by message, sent as it goes, so that no more than one piece of one message is in memory.</summary>
internal static class FetchHandler
{
    /// <summary>A FETCH that marks messages as seen does so in smaller groups just ahead of sending them, so that a client that leaves in
    /// the middle has little marked that it never got.</summary>
    private const int MarkingBatchSize = 50;

    public static async ValueTask<CommandResult> RunAsync(MailSession session, FetchCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (selected.Resolve(command.Messages, command.ByUid) is not { } places) return CommandResult.InvalidMessageSet;

        if (command.Partial is { } window) places = Window(places, window);
        if (command.ChangedSince is not null || command.Items.Any(static item => item.Kind == FetchItemKind.ModSeq)) session.EnableCondStore();
        if (command.Vanished)
        {
            if (!session.Enabled.QResync) return CommandResult.Bad("VANISHED needs QRESYNC enabled.");
            await VanishedEarlier.WriteAsync(session, selected, command.ChangedSince ?? 0, command.Messages);
        }
        var marks = !selected.ReadOnly && selected.Allows(MailboxRights.Seen) && command.Items.Any(MarksSeen);
        var response = new FetchResponse(session, selected, command);
        var expunged = false;
        foreach (var uids in MessageBatches.Of(selected, places, marks ? MarkingBatchSize : MessageBatches.DefaultSize))
        {
            var marked = marks ? await MarkSeenAsync(session, selected, uids, command.ChangedSince) : [];
            var messages = command.ChangedSince is { } since ? selected.Shared.FindChanged(uids, since) : [.. selected.Shared.Find(uids).OfType<MessageRecord>()];
            expunged |= command.ChangedSince is null && messages.Count < uids.Length;
            selected.TellKeywords(session.Output);
            foreach (var (message, loaded) in response.ReadAhead(messages))
                expunged |= !await response.WriteAsync(message, loaded, marked.Contains(message.Uid));
            await session.Turns.NextAsync();
        }
        if (response.MetUnknownEncoding) return CommandResult.UnknownEncoding;
        return expunged && !command.ByUid
            ? CommandResult.Ok("Some of the messages no longer exist.", "EXPUNGEISSUED")
            : CommandResult.Ok("Fetch completed.");
    }

    /// <summary>Tells of messages what the client wants to know of new ones (RFC 5465 section 5.2). No flag is set by it.</summary>
    public static async ValueTask TellAsync(MailSession session, SelectedMailbox selected, ImmutableArray<FetchItem> items, IReadOnlyList<uint> uids)
    {
        var messages = selected.Shared.Find([.. uids]).OfType<MessageRecord>().Where(message => selected.SequenceOf(message.Uid) != 0).ToList();
        selected.TellKeywords(session.Output);
        var response = new FetchResponse(session, selected, new FetchCommand("", ByUid: true, SequenceSet.SavedResult, items));
        try
        {
            foreach (var (message, loaded) in response.ReadAhead(messages)) await response.WriteAsync(message, loaded, marked: false);
        }
        catch (StoreException) when (!session.Output.InLiteral)
        {
            session.Output.Status("*", ImapStatus.No, "UNAVAILABLE", "Some of the new messages cannot be read now.");
        }
    }

    /// <summary>The part of the messages that the client wants to see (RFC 9394 section 3.3).</summary>
    private static List<(int First, int Last)> Window(List<(int First, int Last)> places, PartialWindow window)
    {
        var (start, length) = window.Of(places.Sum(static place => place.Last - place.First + 1));
        var shown = new List<(int, int)>();
        foreach (var (first, last) in places)
        {
            var count = last - first + 1;
            if (start < count && length > 0)
            {
                var taken = Math.Min(count - start, length);
                shown.Add((first + start, first + start + taken - 1));
                length -= taken;
                start = 0;
            }
            else
            {
                start -= count;
            }
        }
        return shown;
    }

    private static bool MarksSeen(FetchItem item) => item.Kind switch
    {
        FetchItemKind.BodySection or FetchItemKind.Binary => !item.Peek,
        FetchItemKind.Rfc822 or FetchItemKind.Rfc822Text => true,
        _ => false,
    };

    /// <returns>The messages that were not seen before: their flags go into the answer.</returns>
    private static async ValueTask<HashSet<uint>> MarkSeenAsync(MailSession session, SelectedMailbox selected, uint[] uids, ulong? changedSince)
    {
        var unseen = new HashSet<uint>();
        foreach (var message in selected.Shared.Find(uids))
            if (message is not null && (message.Flags & SystemFlags.Seen) == 0 && !(message.ModSeq <= changedSince)) unseen.Add(message.Uid);
        if (unseen.Count == 0) return unseen;
        var seen = new FlagList(SystemFlags.Seen, []);
        uint[] ascending = [.. unseen.Order()];
        session.Turns.End();
        // Without new keywords there is no limit to meet.
        _ = await selected.Mail.StoreFlagsAsync(selected.Shared, ascending, new FlagChange(StoreOperation.Add, seen), selected.Cursor);
        selected.Read();
        return unseen;
    }
}
