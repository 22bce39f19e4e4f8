using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>A search whose result the client wants to be kept up to date (RFC 5267 section 4.3).</summary>
internal sealed class ContextRequest
{
    public static readonly CommandResult Duplicate = CommandResult.Bad("A command of this tag is being kept up to date.");

    private readonly SelectedMailbox _selected;
    private readonly WantedContext _wanted;

    private ContextRequest(SelectedMailbox selected, WantedContext wanted) => (_selected, _wanted) = (selected, wanted);

    /// <summary>Begins to collect what changes, before the search. Where it cannot be kept up to date the client is told so, and is answered all the same.</summary>
    /// <param name="session">The session.</param>
    /// <param name="selected">The mailbox.</param>
    /// <param name="wanted">What is searched for.</param>
    /// <param name="result">What is to be answered.</param>
    /// <param name="request"><c>null</c> where nothing is to be kept up to date.</param>
    /// <returns><c>false</c> when the tag is taken.</returns>
    public static bool TryBegin(MailSession session, SelectedMailbox selected, WantedContext wanted, SearchReturn? result, out ContextRequest? request)
    {
        request = null;
        if (result is null || (result.Items & SearchReturnItems.Update) == 0) return true;
        if (selected.Contexts.Has(wanted.Tag)) return false;
        // Scores are those of one search: what comes later has no place among them.
        if (!selected.Contexts.MayHave(!wanted.Criteria.IsEmpty) || wanted.Criteria.Any(static criterion => criterion.Key == SortKey.Relevancy))
        {
            SearchContexts.Refuse(session.Output, wanted.Tag);
            return true;
        }
        selected.Contexts.Begin(session.Options.SearchDeadline);
        request = new ContextRequest(selected, wanted);
        return true;
    }

    /// <summary>From here on changes are told.</summary>
    /// <param name="found">What was found, in order.</param>
    public void Add(IReadOnlyList<uint> found) => _selected.Contexts.Add(_wanted, found);

    /// <summary>CANCELUPDATE.</summary>
    public static ValueTask<CommandResult> CancelAsync(MailSession session, CancelUpdateCommand command)
    {
        if (session.Selected is not { } selected) return ValueTask.FromResult(CommandResult.NoMailboxSelected);
        foreach (var tag in command.Tags)
            if (!selected.Contexts.Cancel(tag)) return ValueTask.FromResult(CommandResult.No("", "Nothing of that tag is being kept up to date."));
        return ValueTask.FromResult(CommandResult.Ok("Updates cancelled."));
    }
}
