namespace ImapDirector.Storage.Transfer;

/// <summary>A transfer cannot come to its end.</summary>
internal sealed class TransferException(TransferFault fault, string message) : Exception(message)
{
    public TransferFault Fault => fault;
}

/// <summary>Every way a transfer can fail.</summary>
public enum TransferFault
{
    /// <summary>It has not failed.</summary>
    None,
    /// <summary>The other node does not answer, or refuses.</summary>
    SourceAway,
    /// <summary>What came is not what was promised.</summary>
    Different,
    /// <summary>The disk is full, or refuses.</summary>
    Disk,
    /// <summary>The store cannot be read.</summary>
    Damaged,
    /// <summary>The user's mail is here and in use: nothing may take its place.</summary>
    InUse,
    /// <summary>The process ended in the middle, or it was called off.</summary>
    Interrupted,
}
