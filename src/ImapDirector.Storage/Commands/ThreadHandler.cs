using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search.Threads;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>THREAD and UID THREAD (RFC 5256), from what was stored of each message at its arrival.</summary>
internal static class ThreadHandler
{
    private const int NodesAtOnce = 500;

    public static async ValueTask<CommandResult> RunAsync(MailSession session, ThreadCommand command)
    {
        if (session.Selected is not { } selected) return CommandResult.NoMailboxSelected;
        return await SearchRun.WithinDeadlineAsync(session, command.Tag, selected.Count, answer: null, async progress =>
        {
            var (found, deadline) = (await SearchRun.FindAsync(session, selected, command.Key, progress), progress.Deadline);
            var threads = await progress.WhileAsync(session.Heavy.RunAsync(() => ThreadsOfAsync(selected, command.Algorithm, found.Uids, deadline), deadline));
            await WriteAsync(session, selected, command.ByUid, threads);
            return CommandResult.Ok("Thread completed.");
        });
    }

    private static async Task<List<ThreadNode>> ThreadsOfAsync(SelectedMailbox selected, ThreadAlgorithm algorithm, List<uint> found, CancellationToken deadline)
    {
        if (found.Count == 0) return [];
        var withParents = algorithm != ThreadAlgorithm.OrderedSubject;
        var items = await selected.Mail.Store.Order.ThreadItemsAsync(selected.Shared.Id, found, withParents, deadline);
        return algorithm == ThreadAlgorithm.OrderedSubject
            ? SubjectThreads.Of(items)
            : ReferenceThreads.Of(items, bySubject: algorithm == ThreadAlgorithm.References, deadline);
    }

    private static async ValueTask WriteAsync(MailSession session, SelectedMailbox selected, bool byUid, List<ThreadNode> threads)
    {
        var output = session.Output;
        output.Raw("* THREAD"u8);
        if (threads.Count > 0) output.Raw(" "u8);
        var left = new Stack<(ThreadNode? Node, bool Opens)>();
        foreach (var thread in threads)
        {
            left.Push((thread, true));
            while (left.Count > 0)
            {
                WriteSome(output, selected, byUid, left);
                await output.FlushIfLargeAsync();
            }
        }
        output.EndLine();
    }

    /// <param name="output">Where it is written to.</param>
    /// <param name="selected">The view.</param>
    /// <param name="byUid">Whether UIDs are written.</param>
    /// <param name="left">What is still to be written, the next on top. No node: a closing parenthesis.</param>
    private static void WriteSome(ResponseStream output, SelectedMailbox selected, bool byUid, Stack<(ThreadNode? Node, bool Opens)> left)
    {
        for (var count = 0; count < NodesAtOnce && left.TryPop(out var next); count++)
        {
            if (next.Node is not { } node)
            {
                output.Raw(")"u8);
                continue;
            }
            output.Raw(next.Opens ? "("u8 : " "u8);
            if (next.Opens) left.Push((null, false));
            if (!node.IsDummy) output.Number(byUid ? node.Uid : selected.SequenceOf(node.Uid));
            var branches = node.IsDummy || node.Children.Count > 1;
            if (branches && !node.IsDummy) output.Raw(" "u8);
            for (var i = node.Children.Count - 1; i >= 0; i--) left.Push((node.Children[i], branches));
        }
    }
}
