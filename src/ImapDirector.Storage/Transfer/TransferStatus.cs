namespace ImapDirector.Storage.Transfer;

/// <summary>How far a node is with a user who is to come to it.</summary>
/// <param name="Stage">How far.</param>
/// <param name="Epoch">The epoch at which the store was released at the other node.</param>
/// <param name="Fingerprint">What the store says, as a digest; <c>null</c> before that is known.</param>
/// <param name="Messages">How many messages it has.</param>
/// <param name="BytesDone">What has come.</param>
/// <param name="BytesTotal">What is to come in all.</param>
/// <param name="Fault">Why it has failed.</param>
/// <param name="Reason">The same as a clause.</param>
public sealed record TransferStatus(TransferStage Stage, long Epoch, string? Fingerprint, long Messages, long BytesDone, long BytesTotal, TransferFault Fault, string? Reason);

/// <summary>How far a transfer is.</summary>
public enum TransferStage
{
    /// <summary>The node knows nothing of it.</summary>
    None,
    /// <summary>Files are coming.</summary>
    Copying,
    /// <summary>The store is here, complete and compared, and waits to be activated.</summary>
    Received,
    /// <summary>It has ended without success; what has come stays for another try.</summary>
    Failed,
    /// <summary>The user is at home here.</summary>
    Active,
}
