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
    /// <summary>What one command may take (limits N12).</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>The answer when it took longer.</summary>
    public static readonly CommandResult TookTooLong = CommandResult.No("LIMIT", "The search took too long.");

    /// <summary>What it may take before it lets others go first.</summary>
    private const int MaxTurnMilliseconds = 20;

    public static async Task<SearchFindings> FindAsync(MailSession session, SelectedMailbox selected, SearchKey key, Progress progress, CancellationToken deadline)
    {
        var notIndexed = new Lazy<List<long>>(() => NotIndexed(session, selected));
        var program = new SearchProgram(key, selected, text => selected.Count < TextIndexing.WorthIt ? null : TextFilter.Of(text, selected.Mail.Store, notIndexed.Value),
            DateTimeOffset.UtcNow, () => deadline);
        if (program.AsksModSeq) session.EnableCondStore();
        var found = new List<uint>();
        var scores = FuzzyKey.IsIn(key) ? new Dictionary<uint, int>() : null;
        var lastYield = Environment.TickCount64;
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
                if (Score(selected, program, message) is var score and > 0)
                {
                    found.Add(message.Uid);
                    scores?.Add(message.Uid, score);
                }
                if (Environment.TickCount64 - lastYield < MaxTurnMilliseconds) continue;
                // A long search must not keep other sessions from a thread (limits N16).
                await Task.Yield();
                await progress.TellAsync();
                lastYield = Environment.TickCount64;
            }
        }
        return new SearchFindings(found, program.AsksModSeq, scores);
    }

    /// <summary>What the text index does not know yet; it is brought up to date where that is much.</summary>
    private static List<long> NotIndexed(MailSession session, SelectedMailbox selected)
    {
        var missing = selected.Mail.Store.MissingTexts(selected.Shared.Id, int.MaxValue);
        if (missing.Count >= TextIndexing.WorthIt) selected.Mail.TextIndexing.Want(selected.Shared.Id);
        return missing;
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
