using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>SEARCH and UID SEARCH.</summary>
internal static class SearchHandler
{
    /// <summary>What one search may take (limits N12).</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>What it may take before it lets others go first.</summary>
    private const int MaxTurnMilliseconds = 20;

    public static async ValueTask<CommandResult> RunAsync(MailSession session, SearchCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        using var deadline = new CancellationTokenSource(Deadline);
        var found = new List<uint>();
        var lastYield = Environment.TickCount64;
        try
        {
            var program = new SearchProgram(command.Key, selected, deadline.Token);
            var everything = selected.Count == 0 ? [] : new List<(int, int)> { (0, selected.Count - 1) };
            foreach (var uids in MessageBatches.Of(selected, everything))
            {
                foreach (var message in selected.Shared.Find(uids))
                {
                    deadline.Token.ThrowIfCancellationRequested();
                    if (message is null) continue;
                    var sequence = selected.SequenceOf(message.Uid);
                    if (Matches(session, selected, program, message, sequence)) found.Add(command.ByUid ? message.Uid : sequence);
                    if (Environment.TickCount64 - lastYield < MaxTurnMilliseconds) continue;
                    // A long search must not keep other sessions from a thread (limits N16).
                    await Task.Yield();
                    lastYield = Environment.TickCount64;
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return CommandResult.No("LIMIT", "The search took too long.");
        }
        session.Output.Raw("* SEARCH"u8);
        foreach (var number in found)
        {
            session.Output.Raw(" "u8);
            session.Output.Number(number);
            await session.Output.FlushIfLargeAsync();
        }
        session.Output.EndLine();
        return CommandResult.Ok("Search completed.");
    }

    private static bool Matches(MailSession session, SelectedMailbox selected, SearchProgram program, MessageRecord message, uint sequence)
    {
        using var candidate = new SearchCandidate(session.Mail.Store, message, sequence, selected.IsRecent(message.Uid));
        try
        {
            return program.Matches(candidate);
        }
        catch (StoreException) when (selected.Shared.Find(message.Uid) is null)
        {
            // Expunged by another session while it was being searched.
            return false;
        }
    }
}
