namespace ImapDirector.Storage.Sessions;

/// <summary>Why a session ended: the one reason in its one log line.</summary>
internal enum SessionEnd
{
    /// <summary>LOGOUT.</summary>
    LoggedOut,
    /// <summary>The peer closed, or the connection broke.</summary>
    Disconnected,
    /// <summary>The peer's address is not one that may connect.</summary>
    NotAllowed,
    /// <summary>No login in time (limits P9).</summary>
    LoginTimeout,
    /// <summary>Too many failed logins (limits P16).</summary>
    LoginFailed,
    /// <summary>Too many bad commands, or one far over a limit (limits P1, P7, P8, N2).</summary>
    Misbehaved,
    /// <summary>No TLS handshake was possible.</summary>
    TlsFailed,
    /// <summary>No command for the idle time-out (limits N2).</summary>
    Idle,
    /// <summary>The peer took nothing of our output (limits N2).</summary>
    WriteStalled,
    /// <summary>The selected mailbox was deleted by another session.</summary>
    MailboxDeleted,
    /// <summary>The node is being drained.</summary>
    Drained,
    /// <summary>The user is served elsewhere, or by newer sessions here.</summary>
    Fenced,
    /// <summary>A defect of ours; the log has it.</summary>
    Failed,
    /// <summary>The user's store cannot be opened, or broke in the middle of a literal.</summary>
    StoreFailed,
}
