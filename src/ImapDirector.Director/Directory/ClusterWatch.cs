using System.Globalization;
using ImapDirector.Director.Relay;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>Does here what was ordered for the whole cluster: reads what is set of nodes, and carries out kicks. A message wakes it at once; should that be lost,
/// it looks by itself every few seconds.</summary>
internal sealed partial class ClusterWatch(RedisConnection redis, NodeRegistry nodes, LiveSessions sessions, ILogger<ClusterWatch> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    // Never disposed: it has no timer, and a second DisposeAsync asks it.
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _woken = new(0, 1);
    private Task _loop = Task.CompletedTask;
    private long? _lastKick;

    /// <summary>Looks for the first time and begins the loop; whether or not Redis answers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        redis.Subscribe(RedisKeys.ClusterChannel, Wake);
        await LookAsync(cancellationToken);
        _loop = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
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
        await nodes.RefreshAsync(cancellationToken);
        if (_lastKick is not { } last)
        {
            // What was ordered before this director began is none of its business: it had no sessions.
            var newest = await redis.CallAsync("kicks", database => database.StringGetAsync(RedisKeys.KickSequence), cancellationToken);
            if (newest.Succeeded) _lastKick = newest.Value.TryParse(out long number) ? number : 0;
            return;
        }
        var reply = await redis.CallAsync("kicks", database => database.SortedSetRangeByScoreWithScoresAsync(RedisKeys.Kicks, last, double.PositiveInfinity, Exclude.Start), cancellationToken);
        if (!reply.Succeeded) return;
        foreach (var entry in reply.Value)
        {
            _lastKick = (long)entry.Score;
            var text = entry.Element.ToString();
            if (!SessionFilter.TryParse(text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..], out var filter))
            {
                Log.Unknown(logger, _lastKick.Value);
                continue;
            }
            Log.Kicked(logger, sessions.Kick(filter), filter);
        }
        if (reply.Value.Length == 0) await ForgetIfLostAsync(last, cancellationToken);
    }

    /// <summary>A Redis that has lost its data counts anew.</summary>
    private async Task ForgetIfLostAsync(long last, CancellationToken cancellationToken)
    {
        var newest = await redis.CallAsync("kicks", database => database.StringGetAsync(RedisKeys.KickSequence), cancellationToken);
        if (newest.Succeeded && (!newest.Value.TryParse(out long number) || number < last)) _lastKick = null;
    }

    private static partial class Log
    {
        [LoggerMessage(3041, LogLevel.Information, "{Sessions} sessions of {Filter} were told to end")]
        public static partial void Kicked(ILogger logger, int sessions, SessionFilter filter);

        [LoggerMessage(3042, LogLevel.Error, "Kick {Number} cannot be read: is a newer director giving orders?")]
        public static partial void Unknown(ILogger logger, long number);
    }
}
