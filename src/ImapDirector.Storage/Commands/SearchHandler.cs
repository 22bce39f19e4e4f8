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
        var answer = new SearchAnswer(session, selected, command.Tag, command.ByUid,
            command.Return ?? (session.Enabled.Imap4Rev2 ? new SearchReturn(SearchReturnItems.All) : null));
        return await SearchRun.WithinDeadlineAsync(session, command.Tag, selected.Count, answer, async progress =>
        {
            var found = await SearchRun.FindAsync(session, selected, command.Key, progress);
            await answer.WriteAsync(found);
            context?.Add(found.Uids);
            return CommandResult.Ok("Search completed.");
        });
    }
}
