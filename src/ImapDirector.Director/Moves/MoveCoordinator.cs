using System.Globalization;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Moves;

/// <summary>Carries one user's move out, step by step (docs/decisions has the page). Where it is stands in Redis: whoever claims the move goes on from there, and
/// does the step that was begun once more, which changes nothing the second time.</summary>
internal sealed partial class MoveCoordinator(DirectorOptions options, MoveLedger ledger, MoveSessions sessions, NodeRegistry nodes, NodeHealth health, NodeControl control,
    DirectorMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    // A node that does not answer for so long is away: before the switch the user goes back to where they are.
    private static readonly TimeSpan NodePatience = TimeSpan.FromSeconds(20);

    // Nothing has come for so long.
    private static readonly TimeSpan CopyPatience = TimeSpan.FromMinutes(2);

    // Everything the user has is read once.
    private static readonly TimeSpan OfferPatience = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan SessionPatience = TimeSpan.FromSeconds(10);
    private const int UndoTries = 5;

    /// <summary>Goes on with a move that is the caller's, until it is over or somebody else's.</summary>
    /// <returns>How long to wait before it is worth another try; zero when it is over, or another's.</returns>
    public async Task<TimeSpan> RunAsync(Move claimed, Func<Incarnation?> incarnation, CancellationToken cancellationToken)
    {
        var move = claimed;
        while (incarnation() is { } mine)
        {
            var isDone = await StepAsync(move, mine.Epoch, cancellationToken);
            if (isDone is false) return PauseAfterFailure;
            var (answered, next) = await ledger.ClaimAsync(move.User, mine, cancellationToken);
            if (!answered) return PauseAfterFailure;
            if (next is null || next.Id != move.Id) return TimeSpan.Zero;
            move = next;
        }
        return PauseAfterFailure;
    }

    /// <returns><c>false</c> when the step could not be done now.</returns>
    private async Task<bool> StepAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        if (move.Step is MoveStep.Ordered or MoveStep.Marked or MoveStep.Switched or MoveStep.Undoing && !await ledger.IsDurableAsync(move.User, cancellationToken))
            return await NoteAsync(move, owner, "no replica of Redis confirms what it says of the user", cancellationToken);
        switch (move.Step)
        {
            case MoveStep.Ordered:
                if (FindObstacle(move) is { } obstacle) return await UndoAsync(move, owner, obstacle, cancellationToken);
                var marked = await ledger.MarkAsync(move, owner, cancellationToken);
                if (marked.Succeeded && (int)marked.Value == 1) Log.Begun(logger, move.User, move.From, move.To);
                return marked.Succeeded && ((int)marked.Value != -1 || await UndoAsync(move, owner, "the user is at another node by now", cancellationToken));
            case MoveStep.Marked:
                return await EndSessionsAsync(move, owner, cancellationToken);
            case MoveStep.Ended:
                return IsUnfenced(move) ? await WaitUnfencedAsync(move, owner, cancellationToken) : await ReleaseAsync(move, owner, cancellationToken);
            case MoveStep.Released:
                return await CopyAsync(move, owner, cancellationToken);
            case MoveStep.Copied:
                var switched = await ledger.SwitchAsync(move, owner, cancellationToken);
                return switched.Succeeded && ((int)switched.Value != -1 || await UndoAsync(move, owner, "the map was changed by another hand meanwhile", cancellationToken));
            case MoveStep.Switched:
                return await OpenAsync(move, owner, cancellationToken);
            case MoveStep.Opened:
                return await SetAsideAsync(move, owner, cancellationToken);
            default:
                return await TidyAsync(move, owner, cancellationToken);
        }
    }

    /// <summary>Why a move cannot be begun, as a clause; <c>null</c> when it can.</summary>
    private string? FindObstacle(Move move) => MoveRules.FindObstacle(nodes.Current, move.From, move.To) is { } refused ? refused
        : nodes.Current.Find(move.To) is { } target && !health.IsWell(target.Node) ? $"node {move.To} does not answer"
        : IsUnfenced(move) ? null : control.FindObstacle(nodes.Current.Find(move.From)!.Node) ?? control.FindObstacle(nodes.Current.Find(move.To)!.Node);

    private bool IsUnfenced(Move move) => nodes.Current.Find(move.From)?.Node.IsBundled == false;

    private async Task<bool> EndSessionsAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        var until = Environment.TickCount64 + (long)SessionPatience.TotalMilliseconds;
        while (true)
        {
            // Told again each time: a session that was just logging in may have missed it.
            if (!await sessions.KickAsync(move.User, cancellationToken)) return false;
            if (await sessions.CountAsync(move.User, cancellationToken) is not { } left) return false;
            if (left == 0) return (await ledger.AdvanceAsync(move, owner, MoveStep.Ended, cancellationToken)).Succeeded;
            if (Environment.TickCount64 > until) break;
            await Task.Delay(Pause, cancellationToken);
        }
        // A bundled node ends what is left itself. Of another one nobody knows.
        return IsUnfenced(move)
            ? await UndoAsync(move, owner, "sessions did not end", cancellationToken)
            : (await ledger.AdvanceAsync(move, owner, MoveStep.Ended, cancellationToken)).Succeeded;
    }

    private async Task<bool> WaitUnfencedAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        await Task.Delay(options.UnfencedMoveDelay, cancellationToken);
        var advanced = await ledger.AdvanceAsync(move, owner, MoveStep.Copied, cancellationToken);
        if (advanced.Succeeded && (int)advanced.Value == 1) metrics.UnfencedMoves.Inc();
        return advanced.Succeeded;
    }

    private async Task<bool> ReleaseAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        var reply = await AskAsync(move.From, node => control.OrderAsync(node, "release", move, move.Epoch, cancellationToken), cancellationToken);
        return reply?.Answer switch
        {
            NodeAnswer.Done => (await ledger.AdvanceAsync(move, owner, MoveStep.Released, cancellationToken)).Succeeded,
            NodeAnswer.NotHeld => (await ledger.AdvanceAsync(move, owner, MoveStep.Copied, cancellationToken, "empty", 1)).Succeeded,
            { } answer => await UndoAsync(move, owner, $"node {move.From} does not release the user ({Text(answer)})", cancellationToken),
            null => await UndoAsync(move, owner, $"node {move.From} does not answer", cancellationToken),
        };
    }

    private async Task<bool> CopyAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        var offered = await AskAsync(move.From, node => control.OrderAsync(node, "offer", move, move.Epoch, cancellationToken), cancellationToken, OfferPatience);
        if (offered is not { Answer: NodeAnswer.Done, Fingerprint: { } fingerprint })
            return await UndoAsync(move, owner, $"node {move.From} does not hand the mail over ({(offered is null ? "no answer" : Text(offered.Answer))})", cancellationToken);
        var (done, since, heard) = (-1L, Environment.TickCount64, Environment.TickCount64);
        var differed = 0;
        string reason;
        while (true)
        {
            var progress = nodes.Current.Find(move.To) is { } target ? await control.AskProgressAsync(target.Node, move, move.Epoch, cancellationToken) : null;
            if (progress is { Stage: NodeStage.Received } && progress.Epoch == move.Epoch)
            {
                return progress.Fingerprint == fingerprint
                    ? (await ledger.AdvanceAsync(move, owner, MoveStep.Copied, cancellationToken, "messages", progress.Messages, "done", offered.Bytes ?? 0, "total", offered.Bytes ?? 0)).Succeeded
                    : await UndoAsync(move, owner, "what came to the new node is not what is at the old one", cancellationToken);
            }
            if (progress is { Stage: NodeStage.Copying } && progress.Epoch == move.Epoch)
            {
                if (progress.BytesDone > done)
                {
                    (done, since) = (progress.BytesDone, Environment.TickCount64);
                    var noted = await ledger.AdvanceAsync(move, owner, move.Step, cancellationToken, "messages", offered.Messages ?? 0, "done", done, "total", offered.Bytes ?? 0);
                    // Another director has it by now.
                    if (!noted.Succeeded || (int)noted.Value == 0) return noted.Succeeded;
                }
                reason = "nothing more comes";
            }
            else
            {
                if (progress is { Stage: NodeStage.Failed, Fault: "Disk" or "Damaged" or "InUse" } && progress.Epoch == move.Epoch)
                    return await UndoAsync(move, owner, $"node {move.To} cannot take the mail in: {progress.Reason}", cancellationToken);
                if (progress is { Stage: NodeStage.Failed, Fault: "Different" } && progress.Epoch == move.Epoch && ++differed > 2)
                    return await UndoAsync(move, owner, $"node {move.To} gets other mail than was sent: {progress.Reason}", cancellationToken);
                reason = progress is null ? $"node {move.To} does not answer" : progress.Reason ?? "it was not begun";
                var begun = await BeginCopyAsync(move, cancellationToken);
                if (begun is { Answer: NodeAnswer.InUse or NodeAnswer.Stale }) return await UndoAsync(move, owner, $"node {move.To} has mail of the user already", cancellationToken);
                if (begun is null) await Task.Delay(PauseAfterFailure, cancellationToken);
            }
            if (progress is not null) heard = Environment.TickCount64;
            if (Environment.TickCount64 - since > CopyPatience.TotalMilliseconds || Environment.TickCount64 - heard > NodePatience.TotalMilliseconds)
                return await UndoAsync(move, owner, $"the mail does not come to node {move.To}: {reason}", cancellationToken);
            await Task.Delay(Pause, cancellationToken);
        }
    }

    /// <summary>Has the new node begin. The old one is asked again: after a restart it may have made ready anew what it hands over.</summary>
    private async Task<NodeReply?> BeginCopyAsync(Move move, CancellationToken cancellationToken)
    {
        if (nodes.Current.Find(move.To) is not { } to || nodes.Current.Find(move.From) is not { } from) return null;
        var offered = await control.OrderAsync(from.Node, "offer", move, move.Epoch, cancellationToken);
        return offered is { Answer: NodeAnswer.Done, Manifest: { } manifest } ? await control.ReceiveAsync(to.Node, from.Node, manifest, move, move.Epoch, cancellationToken) : null;
    }

    /// <summary>From here on there is no way back: it is tried until the node answers.</summary>
    private async Task<bool> OpenAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        if (!IsUnfenced(move) && !move.IsEmpty)
        {
            var reply = await AskAsync(move.To, node => control.OrderAsync(node, "activate", move, move.LastEpoch, cancellationToken), cancellationToken);
            // A newer epoch is another move's, or a login's that was let through when Redis had lost this one: it is active.
            if (reply is not { Answer: NodeAnswer.Done or NodeAnswer.Stale }) return await NoteAsync(move, owner, $"node {move.To} does not take the user in yet ({Text(reply)})", cancellationToken);
        }
        var opened = await ledger.OpenAsync(move, owner, cancellationToken);
        if (!opened.Succeeded || (int)opened.Value == 0) return opened.Succeeded;
        Log.Switched(logger, move.User, move.From, move.To, move.Messages);
        return true;
    }

    private async Task<bool> SetAsideAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        if (!IsUnfenced(move) && nodes.Current.Find(move.From) is { } source)
        {
            var reply = await control.OrderAsync(source.Node, "set-aside", move, move.LastEpoch, cancellationToken);
            if (reply is not { Answer: NodeAnswer.Done or NodeAnswer.Stale or NodeAnswer.InUse }) return await NoteAsync(move, owner, $"node {move.From} does not set its copy aside yet ({Text(reply)})", cancellationToken);
            if (reply.Answer != NodeAnswer.Done) Log.CopyInUse(logger, move.User, move.From);
        }
        var ended = await ledger.EndAsync(move, owner, MoveStep.Done, cancellationToken);
        if (!ended.Succeeded || (int)ended.Value == 0) return ended.Succeeded;
        metrics.Moves.WithLabels("done").Inc();
        if (move is { Marked: { } marked, Opened: { } opened }) metrics.MoveDuration.Observe((opened - marked).TotalSeconds);
        return true;
    }

    /// <summary>The user has stayed. The old node hears of it at the next login as well, if it does not now; the new one's copy is never opened. But where the new one has the
    /// user's mail already, and the old one has none, the user belongs there.</summary>
    private async Task<bool> TidyAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        if (!IsUnfenced(move))
        {
            var (activated, discarded) = (false, false);
            var (isAtTarget, isAtSource) = (false, true);
            for (var attempt = 0; attempt < UndoTries && !(activated && discarded); attempt++)
            {
                if (attempt > 0) await Task.Delay(PauseAfterFailure, cancellationToken);
                if (!discarded && nodes.Current.Find(move.To) is { } target)
                {
                    var reply = await control.OrderAsync(target.Node, "discard", move, move.Epoch, cancellationToken);
                    isAtTarget = reply is { Answer: NodeAnswer.InUse };
                    discarded = reply is { Answer: not NodeAnswer.Busy };
                }
                if (activated || nodes.Current.Find(move.From) is not { } source) continue;
                var answer = (await control.OrderAsync(source.Node, "activate", move, move.LastEpoch, cancellationToken))?.Answer;
                isAtSource = answer != NodeAnswer.NotHeld;
                activated = answer is not (null or NodeAnswer.Busy);
            }
            if (isAtTarget && isAtSource) Log.OnBoth(logger, move.User, move.From, move.To);
            else if (isAtTarget && !await FollowAsync(move, owner, cancellationToken)) return false;
        }
        return (await ledger.EndAsync(move, owner, MoveStep.Failed, cancellationToken)).Succeeded;
    }

    /// <summary>The mail is at the new node alone, which nobody but an earlier move can have brought about: one that Redis has lost.</summary>
    private async Task<bool> FollowAsync(Move move, long owner, CancellationToken cancellationToken)
    {
        if (nodes.Current.Find(move.To) is not { } target
            || await control.AskProgressAsync(target.Node, move, move.Epoch, cancellationToken) is not { Stage: NodeStage.Active, Epoch: > 0 and < MapRebuild.MaxEpoch } there)
        {
            return await NoteAsync(move, owner, $"node {move.To} has the user's mail, and does not say with which epoch", cancellationToken);
        }
        var followed = await ledger.FollowAsync(move, owner, there.Epoch, cancellationToken);
        if (followed.Succeeded && (int)followed.Value == 1) Log.Followed(logger, move.User, move.To, move.From);
        return followed.Succeeded;
    }

    private async Task<bool> UndoAsync(Move move, long owner, string reason, CancellationToken cancellationToken)
    {
        var undone = await ledger.UndoAsync(move, owner, reason, cancellationToken);
        if (!undone.Succeeded || (int)undone.Value == 0) return undone.Succeeded;
        metrics.Moves.WithLabels("called_off").Inc();
        Log.CalledOff(logger, move.User, move.From, move.To, reason);
        return true;
    }

    private async Task<bool> NoteAsync(Move move, long owner, string reason, CancellationToken cancellationToken)
    {
        if (move.Reason == reason) return false;
        Log.Waits(logger, move.User, reason);
        await ledger.AdvanceAsync(move, owner, move.Step, cancellationToken, "reason", reason);
        return false;
    }

    /// <summary>Gives an order again and again while the node does not answer, or says that it is busy.</summary>
    private async Task<NodeReply?> AskAsync(string name, Func<BackendNode, Task<NodeReply?>> ask, CancellationToken cancellationToken, TimeSpan? whileBusy = null)
    {
        var (began, heard) = (Environment.TickCount64, Environment.TickCount64);
        while (true)
        {
            var reply = nodes.Current.Find(name) is { } status ? await ask(status.Node) : null;
            if (reply is { Answer: not NodeAnswer.Busy }) return reply;
            var now = Environment.TickCount64;
            if (reply is not null) heard = now;
            if (now - heard > NodePatience.TotalMilliseconds || now - began > (whileBusy ?? NodePatience).TotalMilliseconds) return reply;
            await Task.Delay(Pause, cancellationToken);
        }
    }

    private static string Text(NodeReply? reply) => reply is null ? "no answer" : Text(reply.Answer);

    private static string Text(NodeAnswer answer) => answer switch
    {
        NodeAnswer.NotHeld => "it has no mail of the user",
        NodeAnswer.Stale => "it has seen a newer epoch",
        NodeAnswer.InUse => "the mail is in use there",
        NodeAnswer.Busy => "it is busy",
        NodeAnswer.Disk => "its disk is full, or refuses",
        NodeAnswer.Damaged => "the mail is damaged: see \"store check\"",
        _ => "done",
    };

    private static partial class Log
    {
        [LoggerMessage(3601, LogLevel.Information, "{User} begins to move from {From} to {To}: logins and deliveries wait")]
        public static partial void Begun(ILogger logger, Protocol.UserName user, string from, string to);

        [LoggerMessage(3602, LogLevel.Information, "{User} has moved from {From} to {To}, {Messages} messages: logins and deliveries go on")]
        public static partial void Switched(ILogger logger, Protocol.UserName user, string from, string to, long messages);

        [LoggerMessage(3603, LogLevel.Warning, "{User} stays at {From} and does not move to {To}: {Reason}")]
        public static partial void CalledOff(ILogger logger, Protocol.UserName user, string from, string to, string reason);

        [LoggerMessage(3604, LogLevel.Warning, "The move of {User} waits: {Reason}")]
        public static partial void Waits(ILogger logger, Protocol.UserName user, string reason);

        [LoggerMessage(3605, LogLevel.Error, "Node {Node} has a newer store of {User}, who has moved away: see which of the two holds the mail, and put the other store aside by hand")]
        public static partial void CopyInUse(ILogger logger, Protocol.UserName user, string node);

        [LoggerMessage(3607, LogLevel.Error, "Redis had lost a move of {User}: the mail is at {To} and not at {From}, and so is the user again")]
        public static partial void Followed(ILogger logger, Protocol.UserName user, string to, string from);

        [LoggerMessage(3606, LogLevel.Critical, "{User} is at {From}, and {To} says the same: Redis has lost a move. See which of the two holds the newer mail, and take the other node's store away")]
        public static partial void OnBoth(ILogger logger, Protocol.UserName user, string from, string to);
    }
}
