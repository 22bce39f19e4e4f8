using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Moves;

/// <summary>Looks for moves that nobody carries out, because they were just ordered or their director is gone, and carries out some of them at one time.</summary>
internal sealed partial class MoveRunner(DirectorOptions options, RedisConnection redis, MoveLedger ledger, MoveCoordinator coordinator, NodeRegistry nodes, UserDirectory directory, DirectorMetrics metrics,
    ILogger<MoveRunner> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    // Those only wait, for sessions to end and for a delay: when a node is lost that shares its storage there are as many as users who come back.
    private const int MaxWithoutCopying = 256;

    // Never disposed: it has no timer, and a second DisposeAsync asks it.
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly Dictionary<UserName, (Task Task, bool Copies)> _running = [];
    private Task _loop = Task.CompletedTask;

    public void Start()
    {
        redis.Subscribe(RedisKeys.ClusterChannel, Wake);
        _loop = RunAsync();
    }

    /// <summary>Stops where it is: other directors go on with what is not over, once this one's lease is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
        await Task.WhenAll(_running.Values.Select(static one => one.Task));
    }

    private void Wake()
    {
        try
        {
            if (_woken.CurrentCount == 0) _woken.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another message was quicker; one look is enough for both.
        }
    }

    private async Task RunAsync()
    {
        var stopping = _stopping.Token;
        try
        {
            while (true)
            {
                await _woken.WaitAsync(Period, stopping);
                await LookAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var (user, one) in _running.ToArray())
            if (one.Task.IsCompleted) _running.Remove(user);
        metrics.MovesRunning.Set(_running.Count);
        if (directory.Incarnation is not { } incarnation || await ledger.ListAsync(cancellationToken) is not { Count: > 0 } users) return;
        // What this director remembers of them is about to be wrong.
        foreach (var user in users) await directory.RefreshAsync(user, cancellationToken);
        foreach (var user in users)
        {
            var (copies, others) = (HasPlace(true), HasPlace(false));
            if (!copies && !others) break;
            if (_running.ContainsKey(user)) continue;
            // Where only one kind has a place left, it is looked at before it is taken.
            if (!(copies && others) && (await ledger.FindAsync(user, cancellationToken) is not { Move: { } found } || !HasPlace(Copies(found)))) continue;
            if (await ledger.ClaimAsync(user, incarnation, cancellationToken) is { Move: { } move }) _running.Add(user, (CarryOutAsync(move, cancellationToken), Copies(move)));
        }
        metrics.MovesRunning.Set(_running.Count);
    }

    private bool HasPlace(bool copies) => _running.Values.Count(one => one.Copies == copies) < (copies || options.MaxMoves == 0 ? options.MaxMoves : MaxWithoutCopying);

    private bool Copies(Move move) => nodes.Current.Find(move.From)?.Node.Kind != BackendKind.Generic;

    private async Task CarryOutAsync(Move move, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            var pause = await coordinator.RunAsync(move, () => directory.Incarnation, cancellationToken);
            await directory.RefreshAsync(move.User, cancellationToken);
            // It keeps its place meanwhile: what cannot go on now is not tried without a pause.
            if (pause > TimeSpan.Zero) await Task.Delay(pause, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Disposed: it stays where it is.
        }
        catch (Exception fault)
        {
            Log.Fault(logger, move.User, fault);
        }
        Wake();
    }

    private static partial class Log
    {
        [LoggerMessage(3611, LogLevel.Error, "A fault ended a step of the move of {User}; it is tried again")]
        public static partial void Fault(ILogger logger, UserName user, Exception fault);
    }
}
