using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Moves;

/// <summary>Looks for moves that nobody carries out, because they were just ordered or their director is gone, and carries out some of them at one time.</summary>
internal sealed partial class MoveRunner : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    // What a fault ends would be begun again at once.
    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(10);

    // Those only wait, for sessions to end and for a delay: when a node is lost that shares its storage there are as many as users who come back.
    private const int MaxWithoutCopying = 256;

    private readonly DirectorOptions _options;
    private readonly RedisConnection _redis;
    private readonly MoveLedger _ledger;
    private readonly MoveCoordinator _coordinator;
    private readonly NodeRegistry _nodes;
    private readonly UserDirectory _directory;
    private readonly DirectorMetrics _metrics;
    private readonly ILogger<MoveRunner> _logger;
    private readonly WakeableLoop _loop;
    private readonly Dictionary<UserName, (Task Task, bool Copies)> _running = [];

    public MoveRunner(DirectorOptions options, RedisConnection redis, MoveLedger ledger, MoveCoordinator coordinator, NodeRegistry nodes, UserDirectory directory, DirectorMetrics metrics,
        ILogger<MoveRunner> logger)
    {
        (_options, _redis, _ledger, _coordinator, _nodes, _directory, _metrics, _logger) = (options, redis, ledger, coordinator, nodes, directory, metrics, logger);
        _loop = new WakeableLoop(Period, LookAsync);
    }

    public void Start()
    {
        _redis.Subscribe(RedisKeys.ClusterChannel, _loop.Wake);
        _loop.Start();
    }

    /// <summary>Stops where it is: other directors go on with what is not over, once this one's lease is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        await Task.WhenAll(_running.Values.Select(static one => one.Task));
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var (user, one) in _running.ToArray())
            if (one.Task.IsCompleted) _running.Remove(user);
        _metrics.MovesRunning.Set(_running.Count);
        if (_directory.Incarnation is not { } incarnation || await _ledger.ListAsync(cancellationToken) is not { Count: > 0 } users) return;
        // What this director remembers of them is about to be wrong.
        foreach (var user in users) await _directory.RefreshAsync(user, cancellationToken);
        foreach (var user in users)
        {
            var (copies, others) = (HasPlace(true), HasPlace(false));
            if (!copies && !others) break;
            if (_running.ContainsKey(user)) continue;
            // Where only one kind has a place left, it is looked at before it is taken.
            if (!(copies && others) && (await _ledger.FindAsync(user, cancellationToken) is not { Move: { } found } || !HasPlace(Copies(found)))) continue;
            if (await _ledger.ClaimAsync(user, incarnation, cancellationToken) is { Move: { } move }) _running.Add(user, (CarryOutAsync(move, cancellationToken), Copies(move)));
        }
        _metrics.MovesRunning.Set(_running.Count);
    }

    private bool HasPlace(bool copies) => _running.Values.Count(one => one.Copies == copies) < (copies || _options.MaxMoves == 0 ? _options.MaxMoves : MaxWithoutCopying);

    private bool Copies(Move move) => _nodes.Current.Find(move.From)?.Node.IsBundled != false;

    private async Task CarryOutAsync(Move move, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            var pause = await _coordinator.RunAsync(move, () => _directory.Incarnation, cancellationToken);
            await _directory.RefreshAsync(move.User, cancellationToken);
            // It keeps its place meanwhile: what cannot go on now is not tried without a pause.
            if (pause > TimeSpan.Zero) await Task.Delay(pause, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Disposed: it stays where it is.
        }
        catch (Exception fault)
        {
            Log.Fault(_logger, move.User, fault);
            await Task.Delay(PauseAfterFault, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        _loop.Wake();
    }

    private static partial class Log
    {
        [LoggerMessage(3611, LogLevel.Error, "A fault ended a step of the move of {User}; it is tried again")]
        public static partial void Fault(ILogger logger, UserName user, Exception fault);
    }
}
