using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>SEARCH and UID SEARCH.</summary>
internal static class SearchHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, SearchCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        if (!ContextRequest.TryBegin(session, selected, new WantedContext(command.Tag, command.ByUid, command.Key, [], command.Return?.UpdateItems ?? []), command.Return,
            out var context)) return ContextRequest.Duplicate;
        using var deadline = new CancellationTokenSource(SearchRun.Deadline);
        var answer = new SearchAnswer(session, selected, command.Tag, command.ByUid,
            command.Return ?? (session.Enabled.Imap4Rev2 ? new SearchReturn(SearchReturnItems.All) : null));
        try
        {
            var found = await SearchRun.FindAsync(session, selected, command.Key, new Progress(session, command.Tag, selected.Count), deadline.Token);
            await answer.WriteAsync(found);
            context?.Add(found.Uids);
            return CommandResult.Ok("Search completed.");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            answer.Fail();
            return SearchRun.TookTooLong;
        }
    }
}
