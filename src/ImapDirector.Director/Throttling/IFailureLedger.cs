namespace ImapDirector.Director.Throttling;

/// <summary>Counts failures of addresses, networks and users, and spaces the checks of those with many. Entries end an hour after the last failure.</summary>
internal interface IFailureLedger
{
    /// <summary>Asks for a check, which is then taken as made.</summary>
    /// <param name="keys">What its failure would count for, that of the user at the address last.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>null</c> when the ledger cannot be had.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    ValueTask<ThrottleState?> EnterAsync(IReadOnlyList<ThrottleKey> keys, CancellationToken cancellationToken);

    /// <summary>Counts a failure, unless the guess is one of the last of the user at the address.</summary>
    /// <inheritdoc cref="EnterAsync" />
    ValueTask<ThrottleState?> FailAsync(IReadOnlyList<ThrottleKey> keys, string guess, CancellationToken cancellationToken);

    /// <summary>Forgets the failures of the user at the address, whatever they counted for, and no others: with one account of their own nobody may guess at
    /// others' for ever, and who logs in somewhere does not forgive what is guessed elsewhere.</summary>
    /// <inheritdoc cref="EnterAsync" path="/exception" />
    ValueTask ForgetAsync(IReadOnlyList<ThrottleKey> keys, CancellationToken cancellationToken);
}

/// <summary>What failures are counted for.</summary>
/// <param name="Kind">An address, a network or a user.</param>
/// <param name="Bucket">Which: a digest, so that there is an end to how many there can be.</param>
/// <param name="Limit">From how many on checks are spaced.</param>
/// <param name="Spacing">By how much.</param>
internal readonly record struct ThrottleKey(ThrottleKind Kind, int Bucket, int Limit, TimeSpan Spacing)
{
    /// <summary>Whether its failures have a check wait. A user's are no matter of who has not failed there, or a few strangers could lock everybody out.</summary>
    /// <param name="failures">How many it has.</param>
    /// <param name="own">How many of them the user has at the address.</param>
    public bool Spaces(int failures, int own) => failures >= Limit && (!IsOfThoseWhoFailed || own > 0);

    /// <summary>Whether it is a matter only of who has failed there.</summary>
    public bool IsOfThoseWhoFailed => Kind == ThrottleKind.User;
}

/// <summary>The kinds of <see cref="ThrottleKey"/>.</summary>
internal enum ThrottleKind
{
    /// <summary>An IPv4 address or an IPv6 /64.</summary>
    Address,
    /// <summary>An IPv6 /48.</summary>
    Network,
    /// <summary>A user.</summary>
    User,
    /// <summary>A user at an IPv4 address or an IPv6 /64.</summary>
    UserAtAddress,
}

/// <summary>How it stands.</summary>
/// <param name="Wait">How long until there may be a check; zero for now.</param>
/// <param name="Counts">The failures of each key.</param>
/// <param name="InMinute">All failures of this minute; of a failure only.</param>
internal sealed record ThrottleState(TimeSpan Wait, IReadOnlyList<int> Counts, int InMinute);
