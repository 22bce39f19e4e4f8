namespace ImapDirector.Director.Login;

/// <summary>Ends a session from within a step; caught where the session's line is logged.</summary>
internal sealed class SessionEndedException(SessionEnd end, Exception? cause = null) : Exception(end.ToString(), cause)
{
    /// <summary>Why.</summary>
    public SessionEnd End { get; } = end;
}
