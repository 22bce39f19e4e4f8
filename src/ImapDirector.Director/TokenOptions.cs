namespace ImapDirector.Director;

/// <summary>How tokens of OAuth 2.0 are checked, for OAUTHBEARER and XOAUTH2.</summary>
public sealed record TokenOptions
{
    /// <summary>Every signature that may be asked for: a key that everybody may know verifies each, and none of them is no signature at all.</summary>
    public static IReadOnlyList<string> KnownAlgorithms { get; } = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>Who issues them: the <c>iss</c> in them, and where <c>/.well-known/openid-configuration</c> is found.</summary>
    public Uri? Issuer { get; init; }

    /// <summary>Where the issuer's keys are, instead of what its configuration says.</summary>
    public Uri? KeysUrl { get; init; }

    /// <summary>Where each token is asked about instead (RFC 7662).</summary>
    public Uri? IntrospectionUrl { get; init; }

    /// <summary>Who we are there.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The secret that goes with it. Never logged.</summary>
    public string ClientSecret { get; init; } = "";

    /// <summary>For whom they may be made (<c>aud</c>), at least one.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>A scope they must have, or <c>null</c>.</summary>
    public string? RequiredScope { get; init; }

    /// <summary>The claim that names the user.</summary>
    public string UserClaim { get; init; } = "email";

    /// <summary>Whether an <c>email</c> has to come with an <c>email_verified</c>; one that says no does not count in any case.</summary>
    public bool RequireVerifiedEmail { get; init; } = true;

    /// <summary>The signatures that count, out of <see cref="KnownAlgorithms"/>.</summary>
    public IReadOnlyList<string> Algorithms { get; init; } = ["RS256", "PS256", "ES256", "ES384"];

    /// <summary>What a token may say that it is (<c>typ</c>), such as <c>at+jwt</c> (RFC 9068); empty for anything.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>How old the issuer's keys may be, when others cannot be fetched: 1 hour to 30 days.</summary>
    public TimeSpan MaxKeysAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How far the issuer's clock may be from ours: at most 5 minutes.</summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What one question to the issuer may take: 100 ms to 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether a user also has to be in a password database.</summary>
    public bool RequireAccount { get; init; } = true;

    /// <summary>PEM certificates that sign the issuer's, or <c>null</c> for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Leaves the secret out.</summary>
    public override string ToString() => Issuer?.ToString() ?? nameof(TokenOptions);
}
