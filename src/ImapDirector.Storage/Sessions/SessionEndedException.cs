namespace ImapDirector.Storage.Sessions;

/// <summary>Ends the session from the middle of a command: the connection is of no use any more.</summary>
internal sealed class SessionEndedException(SessionEnd reason, Exception? inner = null) : Exception("The session has ended.", inner)
{
    public SessionEnd Reason => reason;
}
