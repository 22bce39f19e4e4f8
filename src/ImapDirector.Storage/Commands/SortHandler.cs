using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>SORT and UID SORT (RFC 5256): the store sorts the mailbox, the search says which messages are told.</summary>
internal static class SortHandler
{
    // What the store sorts by is in it; scores are those of this search.
    private static readonly CommandResult RelevancyNotFirst = CommandResult.No("CANNOT", "RELEVANCY can only be the first criterion.");

    public static async ValueTask<CommandResult> RunAsync(MailSession session, SortCommand command)
    {
        if (command.Criteria.Skip(1).Any(static criterion => criterion.Key == SortKey.Relevancy)) return RelevancyNotFirst;
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (!ContextRequest.TryBegin(session, selected, new WantedContext(command.Tag, command.ByUid, command.Key, command.Criteria, command.Return?.UpdateItems ?? []), command.Return,
            out var context)) return ContextRequest.Duplicate;
        var answer = new SearchAnswer(session, selected, command.Tag, command.ByUid, command.Return);
        return await SearchRun.WithinDeadlineAsync(session, command.Tag, selected.Count, answer, async progress =>
        {
            var found = await SearchRun.FindAsync(session, selected, command.Key, progress);
            var sorted = found.Uids.Count > 1 ? await progress.WhileAsync(SortAsync(session, selected, found, command.Criteria, progress.Deadline)) : found.Uids;
            await answer.WriteAsync(found, sorted);
            context?.Add(sorted);
            return CommandResult.Ok("Sort completed.");
        });
    }

    private static async Task<List<uint>> SortAsync(MailSession session, SelectedMailbox selected, SearchFindings found, ImmutableArray<SortCriterion> criteria,
        CancellationToken deadline)
    {
        var byScore = criteria[0].Key == SortKey.Relevancy;
        // What takes memory is made when there is a place for it.
        var sorted = await session.Heavy.RunAsync(async () =>
        {
            var all = await selected.Mail.Store.Order.SortedAsync(selected.Shared.Id, byScore ? criteria[1..] : criteria, deadline);
            var wanted = found.Uids.ToHashSet();
            all.RemoveAll(uid => !wanted.Contains(uid));
            return all;
        }, deadline);
        if (!byScore) return sorted;
        // Both keep the order of those that are equal.
        var scores = found.Scores!;
        return criteria[0].Reverse ? [.. sorted.OrderBy(uid => scores[uid])] : [.. sorted.OrderByDescending(uid => scores[uid])];
    }
}
