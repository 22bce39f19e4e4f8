namespace ImapDirector.Director.Relay;

/// <summary>Why one direction of a session stopped.</summary>
internal enum PumpEnd : byte
{
    /// <summary>It has not.</summary>
    None,
    /// <summary>The sender has closed its side, and every byte has been passed on.</summary>
    EndOfStream,
    /// <summary>Reading from the sender failed.</summary>
    ReadFailed,
    /// <summary>Writing to the receiver failed.</summary>
    WriteFailed,
    /// <summary>It was told to.</summary>
    Stopped,
    /// <summary>It was aborted.</summary>
    Aborted,
}

/// <summary>A direction of a session.</summary>
internal enum Direction : byte
{
    /// <summary>From the client to its node.</summary>
    ToNode,
    /// <summary>From the node to the client.</summary>
    ToClient,
}
