using System.Globalization;
using ImapDirector.Director.Relay;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>Does here what was ordered for the whole cluster: reads what is set of nodes, and carries out kicks. A message wakes it at once; should that be lost,
/// it looks by itself every few seconds.</summary>
internal sealed partial class ClusterWatch : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly RedisConnection _redis;
    private readonly NodeRegistry _nodes;
    private readonly LiveSessions _sessions;
    private readonly ILogger<ClusterWatch> _logger;
    private readonly WakeableLoop _loop;
    private long? _lastKick;

    public ClusterWatch(RedisConnection redis, NodeRegistry nodes, LiveSessions sessions, ILogger<ClusterWatch> logger)
    {
        (_redis, _nodes, _sessions, _logger) = (redis, nodes, sessions, logger);
        _loop = new WakeableLoop(Period, LookAsync);
    }

    /// <summary>Looks for the first time and begins the loop; whether or not Redis answers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _redis.Subscribe(RedisKeys.ClusterChannel, _loop.Wake);
        await LookAsync(cancellationToken);
        _loop.Start();
    }

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await _nodes.RefreshAsync(cancellationToken);
        if (_lastKick is not { } last)
        {
            // What was ordered before this director began is none of its business: it had no sessions.
            var newest = await _redis.CallAsync("kicks", database => database.StringGetAsync(RedisKeys.KickSequence), cancellationToken);
            if (newest.Succeeded) _lastKick = newest.Value.TryParse(out long number) ? number : 0;
            return;
        }
        var reply = await _redis.CallAsync("kicks", database => database.SortedSetRangeByScoreWithScoresAsync(RedisKeys.Kicks, last, double.PositiveInfinity, Exclude.Start), cancellationToken);
        if (!reply.Succeeded) return;
        foreach (var entry in reply.Value)
        {
            _lastKick = (long)entry.Score;
            var text = entry.Element.ToString();
            if (!SessionFilter.TryParse(text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..], out var filter))
            {
                Log.Unknown(_logger, _lastKick.Value);
                continue;
            }
            Log.Kicked(_logger, _sessions.Kick(filter), filter);
        }
        if (reply.Value.Length == 0) await ComeDownAsync(last, cancellationToken);
    }

    /// <summary>Where Redis has lost its data, and its clock is behind the one of before, numbers are lower than they were.</summary>
    private async Task ComeDownAsync(long last, CancellationToken cancellationToken)
    {
        var newest = await _redis.CallAsync("kicks", database => database.StringGetAsync(RedisKeys.KickSequence), cancellationToken);
        if (newest.Succeeded && newest.Value.TryParse(out long number) && number < last) _lastKick = number;
    }

    private static partial class Log
    {
        [LoggerMessage(3041, LogLevel.Information, "{Sessions} sessions of {Filter} were told to end")]
        public static partial void Kicked(ILogger logger, int sessions, SessionFilter filter);

        [LoggerMessage(3042, LogLevel.Error, "Kick {Number} cannot be read: is a newer director giving orders?")]
        public static partial void Unknown(ILogger logger, long number);
    }
}
