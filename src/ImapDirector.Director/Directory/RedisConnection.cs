using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using ImapDirector.Network.Polling;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>The connection to Redis, read on a thread of its own where sessions have theirs. Every call has a time limit, fails at once while Redis is away, and ends as a value; whoever makes one on a loop's
/// thread goes on there, but behind the end of its patience.</summary>
internal sealed partial class RedisConnection(DirectorOptions options, DirectorMetrics metrics, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    private const int TimeoutsBeforePause = 5;
    private const int ScanPageSize = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly CircuitBreaker _breaker = new(TimeProvider.System, TimeoutsBeforePause, Pause);
    private ConnectionMultiplexer? _multiplexer;
    private PollLoop? _loop;
    private int _isAway;

    /// <summary>Whether replicas have what was assigned.</summary>
    public ReplicaConfirmation Replicas { get; } = new(options, metrics, logger);

    /// <summary>Connects; when Redis is away it returns all the same and goes on trying in the background.</summary>
    /// <exception cref="ArgumentException"><see cref="DirectorOptions.Redis"/> is no configuration string.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var configuration = Configure(options, options.RedisTimeout);
        if (PollLoop.IsSupported && options.RelayThreads > 0 && !configuration.Ssl) configuration.Tunnel = new RedisTunnel(_loop = new PollLoop("redis", logger), options.RedisTimeout);
        var connecting = ConnectionMultiplexer.ConnectAsync(configuration);
        try
        {
            _multiplexer = await connecting.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = GiveUpAsync(connecting);
            throw;
        }
        if (!_multiplexer.IsConnected) ReportAway("connect", "no connection");
    }

    /// <summary>How a connection is made.</summary>
    /// <param name="options">Where to, and how long making it may take.</param>
    /// <param name="patience">How long a call on it may take.</param>
    /// <exception cref="ArgumentException"><see cref="DirectorOptions.Redis"/> is no configuration string.</exception>
    public static ConfigurationOptions Configure(DirectorOptions options, TimeSpan patience)
    {
        var configuration = ConfigurationOptions.Parse(options.Redis);
        configuration.AbortOnConnectFail = false;
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ConnectTimeout = (int)options.RedisTimeout.TotalMilliseconds;
        configuration.AsyncTimeout = (int)patience.TotalMilliseconds;
        configuration.SyncTimeout = (int)patience.TotalMilliseconds;
        configuration.ConnectRetry = 1;
        configuration.ReconnectRetryPolicy = new ExponentialRetry(100, 2000);
        configuration.IncludeDetailInExceptions = false;
        configuration.ClientName = "imapdirector";
        configuration.SslClientAuthenticationOptions = host =>
        {
            var tls = OutgoingTls.For(host, caFile: null);
            if (configuration.SslProtocols is { } protocols) tls.EnabledSslProtocols = protocols;
            return tls;
        };
        return configuration;
    }

    /// <summary>Whether Redis answers now; within <see cref="DirectorOptions.RedisTimeout"/>.</summary>
    public async Task<bool> IsAvailableAsync(CancellationToken cancellationToken) =>
        (await CallAsync("ping", database => database.PingAsync(), cancellationToken)).Succeeded;

    /// <summary>Makes one call.</summary>
    /// <param name="operation">Its name in metrics and logs.</param>
    /// <param name="call">The call; it is made once and never repeated. What it awaits by itself takes a thread of the pool, unless with <see cref="PollLoop.ReturnAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait. Redis may have done the work all the same.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<RedisReply<T>> CallAsync<T>(string operation, Func<IDatabase, Task<T>> call, CancellationToken cancellationToken)
    {
        if (_multiplexer is not { } multiplexer || !_breaker.TryEnter())
        {
            metrics.RedisFailures.WithLabels(operation).Inc();
            return default;
        }
        var started = Stopwatch.GetTimestamp();
        try
        {
            var answer = call(multiplexer.GetDatabase());
            var value = await (PollLoop.Current is null ? answer : ReturnAsync(answer)).WaitAsync(options.RedisTimeout, cancellationToken);
            metrics.RedisDuration.WithLabels(operation).Observe(Stopwatch.GetElapsedTime(started).TotalSeconds);
            _breaker.Succeeded();
            ReportBack();
            return new RedisReply<T>(true, value);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            return Fail<T>(operation, exception);
        }
    }

    /// <summary>Runs a script, as <see cref="CallAsync"/>: by its hash, and once more with its text where Redis does not know it.</summary>
    /// <param name="operation">Its name in metrics and logs.</param>
    /// <param name="script">The script.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancellationToken">Ends the wait. Redis may have done the work all the same.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public Task<RedisReply<RedisResult>> RunAsync(string operation, RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync(operation, database => RunAsync(database, script, keys, arguments, cancellationToken), cancellationToken);

    /// <summary>Calls <paramref name="onMessage"/> for every message of a channel, from when Redis is there. Messages may be lost.</summary>
    public void Subscribe(string channel, Action onMessage) =>
        _multiplexer?.GetSubscriber().Subscribe(RedisChannel.Literal(channel), (_, _) => onMessage(), CommandFlags.FireAndForget);

    /// <summary>Walks over every key that matches a pattern, in no order; a key may come twice.</summary>
    /// <param name="pattern">A constant of ours: never made of what a user sent (limits D5).</param>
    /// <param name="onKey">Called with each key.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <returns><c>false</c> when Redis went away before the end.</returns>
    public async Task<bool> ScanAsync(string pattern, Func<string, ValueTask> onKey, CancellationToken cancellationToken)
    {
        const string operation = "scan";
        if (_multiplexer is not { IsConnected: true } multiplexer) return false;
        try
        {
            foreach (var server in multiplexer.GetServers())
            {
                if (server.IsReplica || !server.IsConnected) continue;
                await using var keys = server.KeysAsync(multiplexer.GetDatabase().Database, pattern, ScanPageSize).GetAsyncEnumerator(cancellationToken);
                while (await keys.MoveNextAsync().AsTask().WaitAsync(options.RedisTimeout, cancellationToken))
                    await onKey(keys.Current.ToString());
            }
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            return Fail<bool>(operation, exception).Value;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Replicas.DisposeAsync();
        if (Interlocked.Exchange(ref _multiplexer, null) is { } multiplexer) await multiplexer.DisposeAsync();
        _loop?.Dispose();
    }

    // It would go on trying.
    private static async Task GiveUpAsync(Task<ConnectionMultiplexer> connecting)
    {
        await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (connecting.IsCompletedSuccessfully) await (await connecting).DisposeAsync();
    }

    private static async Task<T> ReturnAsync<T>(Task<T> answer) => await PollLoop.ReturnAsync(answer);

    private async Task<RedisResult> RunAsync(IDatabase database, RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            return await PollLoop.ReturnAsync(database.ScriptEvaluateAsync(script.Hash, keys, arguments));
        }
        // It did nothing, and the library has Redis learn it: where the caller still waits. Whoever has been told that it failed may have taken back by now what it would do.
        catch (RedisServerException unknown) when (unknown.Message.StartsWith(RedisScript.UnknownPrefix, StringComparison.Ordinal) && !cancellationToken.IsCancellationRequested
            && Stopwatch.GetElapsedTime(began) < options.RedisTimeout)
        {
            return await PollLoop.ReturnAsync(database.ScriptEvaluateAsync(script.Text, keys, arguments));
        }
    }

    private RedisReply<T> Fail<T>(string operation, Exception exception)
    {
        metrics.RedisFailures.WithLabels(operation).Inc();
        if (exception is RedisServerException)
        {
            Log.Refused(logger, operation, exception.Message);
            _breaker.Succeeded();
        }
        else
        {
            // A lost connection fails at once and needs no pause; only waiting in vain does.
            if (exception is TimeoutException) _breaker.Failed();
            ReportAway(operation, exception.GetType().Name);
        }
        return default;
    }

    private void ReportAway(string operation, string reason)
    {
        if (Interlocked.Exchange(ref _isAway, 1) == 0) Log.Away(logger, operation, reason);
    }

    private void ReportBack()
    {
        if (Volatile.Read(ref _isAway) != 0 && Interlocked.Exchange(ref _isAway, 0) == 1) Log.Back(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Warning, "Redis is away: {Operation} failed ({Reason}). Cached logins go on, others are told UNAVAILABLE")]
        public static partial void Away(ILogger logger, string operation, string reason);

        [LoggerMessage(3002, LogLevel.Information, "Redis is back")]
        public static partial void Back(ILogger logger);

        [LoggerMessage(3003, LogLevel.Error, "Redis refused {Operation}: {Error}")]
        public static partial void Refused(ILogger logger, string operation, string error);
    }
}

/// <summary>What a call to Redis came to.</summary>
/// <param name="Succeeded">Whether Redis answered. If not, the call may or may not have had its effect.</param>
/// <param name="Value">The answer.</param>
internal readonly record struct RedisReply<T>([property: MemberNotNullWhen(true, "Value")] bool Succeeded, T? Value);
