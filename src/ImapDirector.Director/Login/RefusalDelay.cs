using System.Diagnostics;

namespace ImapDirector.Director.Login;

/// <summary>Makes every refusal of a login take the same time from the moment the check began, whatever the cause and however long the check took
/// (limits P14, P18).</summary>
internal readonly struct RefusalDelay(TimeSpan delay)
{
    private readonly long _began = Stopwatch.GetTimestamp();

    /// <summary>Time since the check began.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_began);

    /// <summary>Waits for what is left.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var left = delay - Elapsed;
        return left > TimeSpan.Zero ? Task.Delay(left, cancellationToken) : Task.CompletedTask;
    }
}
