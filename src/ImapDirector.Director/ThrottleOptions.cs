using System.Net;

namespace ImapDirector.Director;

/// <summary>What is done against those who guess passwords. Delays of refusals begin at <see cref="DirectorOptions.FailureDelay"/>.</summary>
public sealed record ThrottleOptions
{
    /// <summary>Whether directors count together, in Redis; each also counts for itself, for when Redis is away.</summary>
    public bool Shared { get; init; } = true;

    /// <summary>Networks whose failures do not count, such as a webmail's: it has to throttle its users itself. Those of masters do count.</summary>
    public IReadOnlyList<IPNetwork> ExemptNetworks { get; init; } = [];

    /// <summary>From so many different wrong guesses on, within an hour of each other, one in 15 seconds is checked of an IPv4 address or IPv6 /64 (of a /48: from
    /// four times as many on): 1 to 100000.</summary>
    public int AddressFailures { get; init; } = 20;

    /// <summary>From so many on, one in 2 seconds is checked for a user, from wherever it comes: 1 to 100000.</summary>
    public int UserFailures { get; init; } = 50;

    /// <summary>When there are more failures than this within a minute, at all directors, every refusal waits as long as the longest: 1 to 10000000.</summary>
    public int FailuresPerMinute { get; init; } = 5000;

    /// <summary>A service in the protocol of weakforced that is asked before each check and told how it ended, or <c>null</c>.</summary>
    public Uri? PolicyUrl { get; init; }

    /// <summary>The password it wants, with any user name. Never logged.</summary>
    public string PolicyPassword { get; init; } = "";

    /// <summary>PEM certificates that sign the service's, or <c>null</c> for the system's.</summary>
    public string? PolicyCaFile { get; init; }

    /// <summary>How long it may take: 50 ms to 10 s.</summary>
    public TimeSpan PolicyTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether logins go on when it does not answer.</summary>
    public bool PolicyFailOpen { get; init; } = true;

    /// <summary>Leaves the password out.</summary>
    public override string ToString() => nameof(ThrottleOptions);
}
