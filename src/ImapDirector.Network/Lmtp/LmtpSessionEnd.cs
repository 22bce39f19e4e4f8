namespace ImapDirector.Network.Lmtp;

/// <summary>Why an LMTP session ended: the one reason in its one log line.</summary>
internal enum LmtpSessionEnd
{
    /// <summary>QUIT.</summary>
    Quit,
    /// <summary>The client closed between commands.</summary>
    Closed,
    /// <summary>The connection broke, or the client closed in the middle of a message.</summary>
    Lost,
    /// <summary>No command, or no end of the message, in time (limits L4).</summary>
    TooSlow,
    /// <summary>Too many bad commands (limits L2).</summary>
    Misbehaved,
    /// <summary>The server is being drained.</summary>
    Drained,
    /// <summary>A defect of ours; the log has it.</summary>
    Fault,
}
