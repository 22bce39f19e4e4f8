using System.Globalization;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>One run of a director, as Redis knows it.</summary>
/// <param name="Epoch">Its start epoch, unique in the cluster and rising.</param>
/// <param name="Director">The director's name.</param>
/// <param name="NewestEpoch">The newest start epoch of all when the leases were last looked at.</param>
/// <param name="LiveEpochs">The start epochs that held a lease then, as <c>,1,2,</c>.</param>
internal sealed record Incarnation(long Epoch, string Director, long NewestEpoch, string LiveEpochs)
{
    /// <summary>The start epochs that held a lease then, but this one.</summary>
    public IEnumerable<long> Others => LiveEpochs.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static epoch => long.Parse(epoch, CultureInfo.InvariantCulture)).Where(epoch => epoch != Epoch);

    /// <summary>Whether sessions of <paramref name="startEpoch"/> count.</summary>
    public bool IsLive(long startEpoch) =>
        startEpoch > NewestEpoch || LiveEpochs.Contains(string.Create(CultureInfo.InvariantCulture, $",{startEpoch},"), StringComparison.Ordinal);
}

/// <summary>Holds this director's lease: takes it, renews it, and after each renewal lets the ledger catch up. Redis' clock decides
/// who is alive, so the directors' clocks may differ.</summary>
internal sealed partial class IncarnationLease : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    private readonly string _director;
    private readonly RedisConnection _redis;
    private readonly SessionLedger _ledger;
    private readonly TimeSpan _duration;
    private readonly ILogger _logger;
    // Never disposed: it has no timer, and a second DisposeAsync asks it.
    private readonly CancellationTokenSource _stopping = new();
    private volatile Incarnation? _current;
    // Of another one that has this director's name: which process, and what was left of its lease.
    private (string Process, TimeSpan Left)? _holder;
    private Task _loop = Task.CompletedTask;
    private Task _sweep = Task.CompletedTask;

    /// <param name="director">1 to 64 of <c>a-z A-Z 0-9 . - _</c>.</param>
    /// <param name="redis">Where leases are kept.</param>
    /// <param name="ledger">What catches up after a renewal.</param>
    /// <param name="duration">How long a lease lasts that is not renewed; it is renewed three times as often.</param>
    /// <param name="logger">Where a lost lease is told.</param>
    /// <exception cref="ArgumentException">The name has another character.</exception>
    public IncarnationLease(string director, RedisConnection redis, SessionLedger ledger, TimeSpan duration, ILogger logger)
    {
        if (director.Length is 0 or > 64 || !director.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new ArgumentException("A director's name is 1 to 64 letters, digits, dots, hyphens or underscores.", nameof(director));
        (_director, _redis, _ledger, _duration, _logger) = (director, redis, ledger, duration, logger);
    }

    /// <summary>The incarnation, or <c>null</c> before Redis first answered.</summary>
    public Incarnation? Current => _current;

    /// <summary>Whether another director has this one's name, so that this one has no lease.</summary>
    public bool IsNameTaken => _holder is not null;

    /// <summary>Makes the first attempt and begins the loop. A director that was killed has the name for as long as it might still renew its lease, unless it was a process of
    /// this machine.</summary>
    /// <exception cref="IOException">Another director of this name runs.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var renewed = await RenewAsync(cancellationToken);
        for (var before = TimeSpan.MaxValue; _holder is { } holder; await Task.Delay(BetweenLooks, cancellationToken))
        {
            if (holder.Left > before)
                throw new IOException($"Another director named \"{_director}\" runs: its lease in Redis has just been renewed. Give this one a Name of its own, or stop the other one.");
            before = holder.Left;
            renewed = await RenewAsync(cancellationToken, takeName: IsGone(holder));
        }
        _loop = RunAsync(renewed);
    }

    /// <summary>Gone is whoever should have renewed the lease twice by now.</summary>
    private bool IsGone((string Process, TimeSpan Left) holder) => holder.Left < _duration / 3 || ProcessIdentity.IsGone(holder.Process);

    /// <summary>Ends the loop and gives the lease back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
        await _sweep;
        if (_current is { } current)
        {
            _current = null;
            await _redis.CallAsync("lease", database => database.SortedSetRemoveAsync(RedisKeys.Leases, Member(current.Epoch)), CancellationToken.None);
        }
    }

    private async Task RunAsync(bool renewed)
    {
        var stopping = _stopping.Token;
        try
        {
            while (true)
            {
                await Task.Delay(renewed && !_ledger.HasWork ? _duration / 3 : Min(Retry, _duration / 3), stopping);
                renewed = await RenewAsync(stopping);
                if (renewed) await _ledger.ReconcileAsync(_current!, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed: nobody waits for the outcome.
        }
    }

    private async Task<bool> RenewAsync(CancellationToken cancellationToken, bool takeName = false)
    {
        var held = _current?.Epoch ?? 0;
        var anew = _ledger.TakeOverflow();
        var reply = await _redis.CallAsync("lease", database => database.ScriptEvaluateAsync(RedisScripts.Renew,
            [RedisKeys.Leases, RedisKeys.StartEpoch, RedisKeys.NameOf(_director)],
            [_director, held, (long)_duration.TotalMilliseconds, anew ? 1 : 0, ProcessIdentity.Own, takeName ? 1 : 0]), cancellationToken);
        if (!reply.Succeeded) return false;
        var answer = (RedisResult[])reply.Value!;
        var epoch = (long)answer[0];
        if (epoch == 0)
        {
            if (!_loop.IsCompleted && _holder is null) Log.NameTaken(_logger, _director);
            _holder = ((string)answer[1]!, TimeSpan.FromMilliseconds((long)answer[2]));
            return false;
        }
        _holder = null;
        var live = ((string[])answer[2]!).Select(StartEpoch);
        _current = new Incarnation(epoch, _director, (long)answer[1], $",{string.Join(',', live)},");
        if (held != 0 && held != epoch) Log.LeaseLost(_logger, _director, held, epoch);
        var dead = (string[])answer[3]!;
        if (dead.Length > 0)
        {
            Log.DirectorsDied(_logger, string.Join(", ", dead));
            if (_sweep.IsCompleted) _sweep = SweepAsync();
        }
        return true;
    }

    // Users who do not come back would keep their records for ever. A sweep that Redis interrupts leaves the rest to the next
    // one, and to each user's next login.
    private async Task SweepAsync()
    {
        var stopping = _stopping.Token;
        try
        {
            await _redis.ScanAsync(RedisKeys.AllSessions, async key =>
            {
                var current = _current!;
                await _redis.CallAsync("sweep", database => database.ScriptEvaluateAsync(RedisScripts.Sweep,
                    [key], [current.LiveEpochs, current.NewestEpoch]), stopping);
            }, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed: another director's sweep, or the users' next logins, do the rest.
        }
    }

    private RedisValue Member(long epoch) => string.Create(CultureInfo.InvariantCulture, $"{epoch} {_director}");

    private static string StartEpoch(string member) => member[..Math.Max(0, member.IndexOf(' '))];

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static partial class Log
    {
        [LoggerMessage(3011, LogLevel.Warning, "Director {Director} had lost its lease as incarnation {Old} and goes on as {New}; its sessions are registered again")]
        public static partial void LeaseLost(ILogger logger, string director, long old, long @new);

        [LoggerMessage(3013, LogLevel.Error, "Another director named {Director} runs, so this one gets no lease and serves nobody: give it a Name of its own and start it again, or stop the other one")]
        public static partial void NameTaken(ILogger logger, string director);

        [LoggerMessage(3012, LogLevel.Information, "Incarnations that no longer renew their lease: {Dead}")]
        public static partial void DirectorsDied(ILogger logger, string dead);
    }
}
