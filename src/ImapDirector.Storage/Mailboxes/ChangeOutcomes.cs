using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A change of flags.</summary>
/// <param name="Operation">What is done with them.</param>
/// <param name="Flags">The flags.</param>
/// <param name="UnchangedSince">Messages with a mod-sequence above this are left alone, <c>null</c> for none (RFC 7162 section 3.1.3).</param>
internal readonly record struct FlagChange(StoreOperation Operation, FlagList Flags, ulong? UnchangedSince = null)
{
    /// <summary>The flags that a replacement changes; all others stay as they are.</summary>
    public PermittedFlags Permitted { get; init; } = PermittedFlags.Every;
}

/// <summary>What became of a <see cref="FlagChange"/>.</summary>
/// <param name="Found">How many of the messages exist, those left alone included.</param>
/// <param name="ModSeq">The mod-sequence of those that it really changed.</param>
/// <param name="Modified">The UIDs of those left alone.</param>
internal sealed record FlagChangeOutcome(int Found, ulong ModSeq, IReadOnlyList<uint> Modified);

/// <summary>What became of a COPY or MOVE.</summary>
/// <param name="Result">Whether it was done.</param>
/// <param name="UidValidity">The target's.</param>
/// <param name="Copies">Source UID and new record of each message.</param>
internal sealed record CopyOutcome(CopyResult Result, uint UidValidity, IReadOnlyList<(uint SourceUid, MessageRecord Copy)> Copies)
{
    public static readonly CopyOutcome NoTarget = new(CopyResult.NoTarget, 0, []);
    public static readonly CopyOutcome Expunged = new(CopyResult.Expunged, 0, []);
    public static readonly CopyOutcome TooManyKeywords = new(CopyResult.TooManyKeywords, 0, []);
}

/// <summary>The results of a <see cref="CopyOutcome"/>.</summary>
internal enum CopyResult
{
    Done,
    NoTarget,
    /// <summary>A message is not there any more; nothing was copied.</summary>
    Expunged,
    /// <summary>The target would have too many keywords (limits N11); nothing was copied.</summary>
    TooManyKeywords,
}
