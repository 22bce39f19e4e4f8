namespace ImapDirector.Operations.Health;

/// <summary>Something the process needs before it can serve.</summary>
/// <param name="Name">What the answer calls it; 1 to 64 of <c>a-z 0-9 . - _</c>.</param>
/// <param name="NotReadyReason">Why it is not ready, in one line without secrets, or <c>null</c> when it is. It has a second; its token fires then.
/// What it throws is logged and counts as not ready.</param>
public sealed record NamedCheck(string Name, Func<CancellationToken, ValueTask<string?>> NotReadyReason);
