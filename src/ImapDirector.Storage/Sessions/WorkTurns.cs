namespace ImapDirector.Storage.Sessions;

/// <summary>A session's share of the processors. What works for longer than a moment goes on in turns, of which all sessions together have few at a time and
/// those of one user fewer: whoever asks for little always finds a thread, whatever others ask for (limits N15, N16).</summary>
/// <remarks>A turn is given back before anything is waited for that is not work: the client, another's change, a place for heavy work.</remarks>
/// <param name="ofProcess">Where all sessions take theirs.</param>
/// <param name="ofUser">How many the user's sessions may have.</param>
/// <param name="moment">How long a moment is, in milliseconds.</param>
internal sealed class WorkTurns(ProcessTurns ofProcess, SemaphoreSlim ofUser, int moment = 20)
{
    /// <summary>More to look at than this at once is known to be long.</summary>
    public const long LongBytes = 256 * 1024;

    private long _began;
    private bool _has;

    /// <summary>The work of a command begins: its first moment is free.</summary>
    public void Begin() => _began = Environment.TickCount64;

    /// <summary>Lets others go first where this has gone on for long enough.</summary>
    /// <exception cref="OperationCanceledException">Its time was over before its turn came.</exception>
    public ValueTask NextAsync(CancellationToken cancellationToken = default)
    {
        if (Environment.TickCount64 - _began < moment) return ValueTask.CompletedTask;
        Pause();
        return EnterAsync(cancellationToken);
    }

    /// <summary>Waits for a turn, where this has none yet: what comes is long.</summary>
    /// <exception cref="OperationCanceledException">Its time was over before its turn came.</exception>
    public ValueTask EnterAsync(CancellationToken cancellationToken = default) => _has ? ValueTask.CompletedTask : new ValueTask(TakeAsync(cancellationToken));

    /// <summary>Gives the turn back, because something has to be waited for. What was worked so far still counts.</summary>
    public void Pause()
    {
        if (!_has) return;
        _has = false;
        ofProcess.Free.Release();
        ofUser.Release();
    }

    /// <summary>Gives the turn back; what follows is new work.</summary>
    public void End()
    {
        Pause();
        Begin();
    }

    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        await ofUser.WaitAsync(cancellationToken);
        try
        {
            await ofProcess.Free.WaitAsync(cancellationToken);
        }
        catch
        {
            ofUser.Release();
            throw;
        }
        _has = true;
        Begin();
    }
}
