using System.Net;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>Waits until replicas of Redis have an assignment, so that a failover does not lose it (docs/decisions has the page). WAIT keeps everything behind it
/// on its connection waiting, so it has one of its own; those who wait at the same time share one WAIT.</summary>
internal sealed partial class ReplicaConfirmation(DirectorOptions options, DirectorMetrics metrics, ILogger logger) : IAsyncDisposable
{
    private const int MostTogether = 200;

    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Dictionary<EndPoint, Lane> _lanes = [];
    private readonly int _replicas = options.AssignmentReplicas ?? 1;
    private readonly TimeSpan _limit = options.AssignmentReplicaWait + options.RedisTimeout;
    private ConnectionMultiplexer? _multiplexer;
    private int _database;
    private volatile bool _isRequired = options.AssignmentReplicas > 0;
    private volatile bool _isDisposed;
    private int _isLate;

    /// <summary>Whether an assignment counts only once replicas have it. Without <see cref="DirectorOptions.AssignmentReplicas"/> it is so from when Redis has been seen
    /// with one: a master that has just lost its last is the one whose assignments are lost with it.</summary>
    public bool IsRequired => _isRequired;

    /// <summary>Looks whether Redis has replicas.</summary>
    /// <returns><c>false</c> when that cannot be told.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        if (_isRequired || options.AssignmentReplicas is not null) return true;
        try
        {
            var multiplexer = await ConnectAsync(cancellationToken);
            if (_isRequired || multiplexer.GetServers().Any(static server => server.IsReplica))
            {
                _isRequired = true;
                return true;
            }
            if (MasterOf(multiplexer, RedisKeys.Leases) is not { } master) return false;
            var told = await master.ExecuteAsync("INFO", "replication").WaitAsync(options.RedisTimeout, cancellationToken);
            if (HasReplicas(told.ToString())) _isRequired = true;
            return true;
        }
        catch (Exception exception) when (IsOfRedis(exception))
        {
            return false;
        }
    }

    /// <summary>Waits until replicas have the user's assignment as it is now.</summary>
    /// <returns>The assignment that they have; <c>null</c> where there is none, or they did not say so in time.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<HeldAssignment?> ConfirmAsync(UserName user, CancellationToken cancellationToken)
    {
        try
        {
            var key = RedisKeys.Assignment(user);
            // Two rounds at most: the one that runs, and the next.
            var held = MasterOf(await ConnectAsync(cancellationToken), key) is { } master ? await Enter(master, key).WaitAsync(_limit * 2, cancellationToken) : null;
            Tell(held is not null);
            return held;
        }
        catch (Exception exception) when (IsOfRedis(exception))
        {
            Tell(false);
            return null;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        if (Interlocked.Exchange(ref _multiplexer, null) is { } multiplexer) await multiplexer.DisposeAsync();
        Task[] rounds;
        lock (_lock) rounds = [.. _lanes.Values.Select(static lane => lane.Rounds)];
        await Task.WhenAll(rounds);
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_multiplexer is { } already) return already;
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_multiplexer is { } made) return made;
            var configuration = RedisConnection.Configure(options, _limit);
            // CLIENT ID and INFO count as administration in the library. What Redis allows is its own business.
            configuration.AllowAdmin = true;
            _database = configuration.DefaultDatabase ?? 0;
            // Sentinels are there for the sake of replicas, even if none is up just now.
            if (options.AssignmentReplicas is null && !string.IsNullOrEmpty(configuration.ServiceName)) _isRequired = true;
            return _multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration);
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <returns><c>null</c> while there is none that has the key.</returns>
    private static IServer? MasterOf(ConnectionMultiplexer multiplexer, RedisKey key)
    {
        try
        {
            return multiplexer.GetServer(key, null, CommandFlags.DemandMaster);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private Task<HeldAssignment?> Enter(IServer server, RedisKey key)
    {
        var request = new Request(key);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_lanes.TryGetValue(server.EndPoint, out var lane)) _lanes.Add(server.EndPoint, lane = new Lane());
            lane.Waiting.Enqueue(request);
            if (!lane.IsRunning)
            {
                lane.IsRunning = true;
                lane.Rounds = RunAsync(server, lane);
            }
        }
        return request.Outcome.Task;
    }

    private async Task RunAsync(IServer server, Lane lane)
    {
        await Task.Yield();
        while (true)
        {
            var together = new List<Request>();
            lock (_lock)
            {
                while (together.Count < MostTogether && lane.Waiting.TryDequeue(out var request)) together.Add(request);
                lane.IsRunning = together.Count > 0;
            }
            if (together.Count == 0) return;
            try
            {
                await ConfirmTogetherAsync(server, together);
            }
            catch (Exception exception)
            {
                // Told to those who wait, who know what is Redis' doing and what is a fault of ours.
                foreach (var request in together) request.Outcome.TrySetException(exception);
            }
        }
    }

    private async Task ConfirmTogetherAsync(IServer server, List<Request> together)
    {
        // WAIT speaks of what its own connection has written, and of nothing on one that has just been made. The connection's number, before and behind, tells that it is the same.
        var before = server.ExecuteAsync("CLIENT", "ID");
        var touched = together.ConvertAll(request => Run(server, RedisScripts.Touch, request.Key));
        var replicas = server.ExecuteAsync("WAIT", _replicas, (long)options.AssignmentReplicaWait.TotalMilliseconds);
        var behind = server.ExecuteAsync("CLIENT", "ID");
        await Task.WhenAll([before, replicas, behind, .. touched]).WaitAsync(_limit);
        var isHeld = (long)await replicas >= _replicas && (long)await before == (long)await behind;
        var held = new HeldAssignment?[together.Count];
        for (var i = 0; i < held.Length && isHeld; i++)
            if ((string?[])(await touched[i])! is [{ } node, { } text] && long.TryParse(text, out var epoch)) held[i] = new HeldAssignment(node, epoch);
        // Should a failover lose that, the next login waits once more.
        await Task.WhenAll(together.Zip(held).Where(static pair => pair.Second is not null).Select(pair => Run(server, RedisScripts.Confirm, pair.First.Key, pair.Second!.Value.Epoch))).WaitAsync(_limit);
        foreach (var (request, outcome) in together.Zip(held)) request.Outcome.TrySetResult(outcome);
    }

    // Not by its hash, which may have to be tried twice, and never at another server than the one that WAIT goes to.
    private Task<RedisResult> Run(IServer server, string script, RedisKey key, params object[] arguments) =>
        server.ExecuteAsync(_database, "EVAL", [script, 1, key, .. arguments], CommandFlags.NoRedirect);

    private void Tell(bool isHeld)
    {
        if (!isHeld) metrics.UnconfirmedAssignments.Inc();
        if (Interlocked.Exchange(ref _isLate, isHeld ? 0 : 1) == (isHeld ? 0 : 1)) return;
        if (isHeld) Log.Confirmed(logger);
        else Log.Unconfirmed(logger, _replicas, options.AssignmentReplicaWait.TotalMilliseconds);
    }

    private static bool HasReplicas(string information) =>
        information.Split('\n').Any(static line => line.StartsWith("connected_slaves:", StringComparison.Ordinal) && line.Trim() != "connected_slaves:0");

    private static bool IsOfRedis(Exception exception) => exception is RedisException or TimeoutException or ObjectDisposedException;

    private sealed class Request(RedisKey key)
    {
        public RedisKey Key => key;

        public TaskCompletionSource<HeldAssignment?> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Those who wait for the replicas of one master.</summary>
    private sealed class Lane
    {
        public Queue<Request> Waiting { get; } = [];

        public bool IsRunning { get; set; }

        public Task Rounds { get; set; } = Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(3004, LogLevel.Error, "No assignment is given: {Replicas} replicas of Redis have to have it first, and did not within {Milliseconds} ms. Users with one log in all the same")]
        public static partial void Unconfirmed(ILogger logger, int replicas, double milliseconds);

        [LoggerMessage(3005, LogLevel.Information, "Replicas of Redis confirm assignments again")]
        public static partial void Confirmed(ILogger logger);
    }
}

/// <summary>An assignment that replicas have.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Epoch">The epoch.</param>
internal readonly record struct HeldAssignment(string Node, long Epoch);
