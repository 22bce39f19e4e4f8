namespace ImapDirector.Director.Relay;

/// <summary>Moves bytes in one direction of a session.</summary>
internal interface IPump
{
    /// <summary>How many bytes have been moved.</summary>
    long Bytes { get; }

    /// <summary>Whether a line of ours may be put behind the last byte moved, where responses are followed; read it when the pump has stopped.</summary>
    bool IsAtEndOfResponse { get; }

    /// <summary>Whether the last that was moved answers a LOGOUT, where responses are followed.</summary>
    bool IsAnsweredLogout { get; }

    /// <summary>Moves bytes until one side is done or <paramref name="stop"/> fires, which is heeded between two buffers.</summary>
    Task<PumpEnd> RunAsync(CancellationToken stop);

    /// <summary>Ends it in the middle of anything; what is on its way is lost.</summary>
    void Abort();
}

/// <summary>Why a pump stopped.</summary>
internal enum PumpEnd
{
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
