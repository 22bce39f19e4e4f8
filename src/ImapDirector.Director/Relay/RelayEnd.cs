namespace ImapDirector.Director.Relay;

/// <summary>Every way a relay can end: what happened first.</summary>
internal enum RelayEnd
{
    /// <summary>The client closed its side.</summary>
    ClientClosed,
    /// <summary>The node closed its side, as it does after LOGOUT.</summary>
    NodeClosed,
    /// <summary>The connection to the client was lost.</summary>
    ClientLost,
    /// <summary>The connection to the node was lost.</summary>
    NodeLost,
    /// <summary>No byte in either direction for <see cref="DirectorOptions.RelayIdleTimeout"/>.</summary>
    Idle,
    /// <summary>It was told to end.</summary>
    Kicked,
}
