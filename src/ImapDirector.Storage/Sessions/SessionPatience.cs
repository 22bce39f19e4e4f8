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

    /// <summary>Whether the node is going, which fires the token as well.</summary>
    public bool IsDraining => _drain.IsCancellationRequested;

    /// <summary>Whether the user is to be served by others.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Whether it was not for the peer's silence that the token fired.</summary>
    public bool IsInterrupted => IsDraining || IsFenced;

    /// <summary>How the session ends when the token has fired.</summary>
    public SessionEnd End => IsDraining ? SessionEnd.Drained : IsFenced ? SessionEnd.Fenced : SessionEnd.Idle;

    /// <summary>Fires the token, because the user is to be served by others.</summary>
    public void Fence()
    {
        IsFenced = true;
        _source.Cancel();
    }

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
