using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>What a search found.</summary>
/// <param name="Uids">Ascending.</param>
/// <param name="AsksModSeq">Whether MODSEQ was among the criteria, so that the answer has to tell one (RFC 7162 section 3.1.5).</param>
/// <param name="Scores">How well each message matches, from 1 to 100; <c>null</c> when nothing was searched fuzzily (RFC 6203 section 4).</param>
internal sealed record SearchFindings(List<uint> Uids, bool AsksModSeq, IReadOnlyDictionary<uint, int>? Scores);

/// <summary>Runs the criteria of SEARCH, SORT and THREAD over the mailbox, from message to message.</summary>
internal static class SearchRun
{
    private static readonly CommandResult TookTooLong = CommandResult.No("LIMIT", "The search took too long.");

    /// <summary>Runs a command that searches for as long as one may take (limits N12), or until its client is gone.</summary>
    /// <param name="session">The session.</param>
    /// <param name="tag">The command's.</param>
    /// <param name="goal">How many messages there are to look at; <c>null</c> where nobody knows yet.</param>
    /// <param name="answer">What a search that took too long fails; <c>null</c> for none.</param>
    /// <param name="work">The command.</param>
    public static async ValueTask<CommandResult> WithinDeadlineAsync(MailSession session, string tag, int? goal, SearchAnswer? answer, Func<Progress, Task<CommandResult>> work)
    {
        using var deadline = new CancellationTokenSource(session.Options.SearchDeadline);
        try
        {
            return await work(new Progress(session, tag, goal, deadline));
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            answer?.Fail();
            return TookTooLong;
        }
    }

    public static async Task<SearchFindings> FindAsync(MailSession session, SelectedMailbox selected, SearchKey key, Progress progress)
    {
        var deadline = progress.Deadline;
        // To ask the index takes long already, and many at once would stand in each other's way where they look at the mailbox.
        if (selected.Count >= TextIndexing.WorthIt) await session.Turns.EnterAsync(deadline);
        var program = new SearchProgram(key, selected, new TextFilters(selected.Mail, selected.Shared.Id, selected.Count, deadline).Of, DateTimeOffset.UtcNow, () => deadline);
        if (program.AsksModSeq) session.EnableCondStore();
        var found = new List<uint>();
        var scores = FuzzyKey.IsIn(key) ? new Dictionary<uint, int>() : null;
        var everything = selected.Count == 0 ? [] : new List<(int, int)> { (0, selected.Count - 1) };
        foreach (var uids in MessageBatches.Of(selected, everything))
        {
            await progress.TellAsync();
            if (key is AllKey)
            {
                selected.Shared.AddPresent(uids, found);
                progress.Done += uids.Length;
                continue;
            }
            foreach (var message in selected.Shared.Find(uids))
            {
                deadline.ThrowIfCancellationRequested();
                progress.Done++;
                if (message is null) continue;
                if (message.SizeBytes > WorkTurns.LongBytes) await session.Turns.EnterAsync(deadline);
                if (Score(selected, program, message) is var score and > 0)
                {
                    found.Add(message.Uid);
                    scores?.Add(message.Uid, score);
                }
                await session.Turns.NextAsync(deadline);
                await progress.TellAsync();
            }
        }
        return new SearchFindings(found, program.AsksModSeq, scores);
    }

    /// <returns>0 when the message does not match.</returns>
    private static int Score(SelectedMailbox selected, SearchProgram program, MessageRecord message)
    {
        using var candidate = new SearchCandidate(selected.Mail.Store, message, selected.SequenceOf(message.Uid), selected.IsRecent(message.Uid));
        try
        {
            return program.Matches(candidate) ? candidate.Relevancy : 0;
        }
        catch (StoreException) when (selected.Shared.Find(message.Uid) is null)
        {
            // Expunged by another session while it was being searched.
            return 0;
        }
    }
}
