using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Health;

/// <summary>Runs one check, for all who ask at a time, with a bound on how long they wait.</summary>
/// <remarks>A check that hangs for good, on a dead disk for one, costs one thread and not one for each probe: while a run is under way it is shared.</remarks>
internal sealed partial class ReadinessCheck(NamedCheck check, ILogger logger, CancellationToken stopping)
{
    private const string NoAnswer = "no answer within 1 s";
    private const string Failed = "the check failed, the log has the reason";
    private const int MaxReasonLength = 200;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<string?> _run = Task.FromResult<string?>(null);

    public string Name => check.Name;

    /// <summary>The last run, which never faults; not completed while the check hangs.</summary>
    public Task LastRun
    {
        get
        {
            lock (_gate) return _run;
        }
    }

    public async Task<string?> NotReadyReasonAsync(CancellationToken cancellationToken)
    {
        Task<string?> run;
        lock (_gate)
        {
            // On the pool, because a check may block before its first await.
            if (_run.IsCompleted) _run = Task.Run(RunAsync, CancellationToken.None);
            run = _run;
        }
        try
        {
            return await run.WaitAsync(Limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            return NoAnswer;
        }
    }

    private async Task<string?> RunAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(Limit);
        try
        {
            return await check.NotReadyReason(limit.Token) is { } reason ? OneLine(reason) : null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return NoAnswer;
        }
        catch (Exception fault)
        {
            // Its text may hold addresses and credentials: that is for the log's readers, not for whoever can reach the port.
            Log.CheckThrew(logger, check.Name, fault);
            return Failed;
        }
    }

    private static string OneLine(string reason)
    {
        var start = reason.Length > MaxReasonLength ? reason[..MaxReasonLength] : reason;
        return string.Concat(start.Select(static letter => char.IsControl(letter) ? ' ' : letter));
    }

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Error, "The readiness check {Check} threw")]
        public static partial void CheckThrew(ILogger logger, string check, Exception fault);
    }
}
