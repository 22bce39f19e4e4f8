namespace ImapDirector.Storage.Sessions;

/// <summary>How long a session waits for its peer: one token, armed anew for each wait, that also fires when the node is drained.</summary>
internal sealed class SessionPatience : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationToken _drain;
    private readonly CancellationTokenRegistration _registration;

    public SessionPatience(CancellationToken drain)
    {
        _drain = drain;
        _registration = drain.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    /// <summary>Fires when the time is up or the drain begins.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Why the token fired.</summary>
    public bool IsDraining => _drain.IsCancellationRequested;

    /// <summary>From now on so long.</summary>
    public void Begin(TimeSpan time) => _source.CancelAfter(time);

    /// <summary>No limit until the next <see cref="Begin"/>.</summary>
    public void Pause() => _source.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>Fires the token now.</summary>
    public void Cancel() => _source.Cancel();

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
