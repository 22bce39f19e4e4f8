using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>SORT and UID SORT (RFC 5256): the store sorts the mailbox, the search says which messages are told.</summary>
internal static class SortHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, SortCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (!ContextRequest.TryBegin(session, selected, new WantedContext(command.Tag, command.ByUid, command.Key, command.Criteria, command.Return?.UpdateItems ?? []), command.Return,
            out var context)) return ContextRequest.Duplicate;
        using var deadline = new CancellationTokenSource(SearchRun.Deadline);
        var answer = new SearchAnswer(session, selected, command.Tag, command.ByUid, command.Return);
        try
        {
            var found = await SearchRun.FindAsync(session, selected, command.Key, new Progress(session, command.Tag, selected.Count), deadline.Token);
            var sorted = found.Uids;
            if (sorted.Count > 1)
            {
                var wanted = found.Uids.ToHashSet();
                sorted = await session.Heavy.RunAsync(() => selected.Mail.Store.Order.SortedAsync(selected.Shared.Id, command.Criteria, deadline.Token), deadline.Token);
                sorted.RemoveAll(uid => !wanted.Contains(uid));
            }
            await answer.WriteAsync(sorted, found.AsksModSeq, sorted: true);
            context?.Add(sorted);
            return CommandResult.Ok("Sort completed.");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            answer.Fail();
            return SearchRun.TookTooLong;
        }
    }
}
