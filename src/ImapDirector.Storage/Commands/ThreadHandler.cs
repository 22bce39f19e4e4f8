using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search.Threads;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>THREAD and UID THREAD (RFC 5256), from what was stored of each message at its arrival.</summary>
internal static class ThreadHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, ThreadCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        using var deadline = new CancellationTokenSource(SearchRun.Deadline);
        try
        {
            var found = await SearchRun.FindAsync(session, selected, command.Key, new Progress(session, command.Tag, selected.Count), deadline.Token);
            var threads = await session.Heavy.RunAsync(() => ThreadsOfAsync(session, selected, command.Algorithm, found.Uids, deadline.Token), deadline.Token);
            await WriteAsync(session, selected, command.ByUid, threads);
            return CommandResult.Ok("Thread completed.");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return SearchRun.TookTooLong;
        }
    }

    private static async Task<List<ThreadNode>> ThreadsOfAsync(MailSession session, SelectedMailbox selected, ThreadAlgorithm algorithm, List<uint> found, CancellationToken deadline)
    {
        if (found.Count == 0) return [];
        var withParents = algorithm != ThreadAlgorithm.OrderedSubject;
        var items = await selected.Mail.Store.Order.ThreadItemsAsync(selected.Shared.Id, withParents, deadline);
        if (found.Count < items.Count)
        {
            var wanted = found.ToHashSet();
            items.RemoveAll(item => !wanted.Contains(item.Uid));
        }
        return algorithm == ThreadAlgorithm.OrderedSubject
            ? SubjectThreads.Of(items)
            : ReferenceThreads.Of(items, bySubject: algorithm == ThreadAlgorithm.References, deadline);
    }

    private static async ValueTask WriteAsync(MailSession session, SelectedMailbox selected, bool byUid, List<ThreadNode> threads)
    {
        var output = session.Output;
        output.Raw("* THREAD"u8);
        if (threads.Count > 0) output.Raw(" "u8);
        // What is still to be written, the next on top. No node: a closing parenthesis.
        var left = new Stack<(ThreadNode? Node, bool Opens)>();
        foreach (var thread in threads)
        {
            left.Push((thread, true));
            while (left.TryPop(out var next))
            {
                if (next.Node is not { } node)
                {
                    output.Raw(")"u8);
                    continue;
                }
                output.Raw(next.Opens ? "("u8 : " "u8);
                if (next.Opens) left.Push((null, false));
                if (node.Item is { } item) output.Number(byUid ? item.Uid : selected.SequenceOf(item.Uid));
                var branches = node.IsDummy || node.Children.Count > 1;
                if (branches && !node.IsDummy) output.Raw(" "u8);
                for (var i = node.Children.Count - 1; i >= 0; i--) left.Push((node.Children[i], branches));
                await output.FlushIfLargeAsync();
            }
        }
        output.EndLine();
    }
}
