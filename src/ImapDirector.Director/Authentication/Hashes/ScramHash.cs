using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Authentication;

/// <summary>The verifier of SCRAM, which also tells whether a password that came as it is is the right one.</summary>
internal sealed record ScramHash(ScramVerifier Verifier) : PasswordHash
{
    /// <inheritdoc />
    public override PasswordScheme Scheme => Verifier.Hash == ScramHashName.Sha256 ? PasswordScheme.ScramSha256 : PasswordScheme.ScramSha1;

    /// <inheritdoc cref="PasswordHash.TryParse" />
    public static ScramHash? TryParse(string text) => ScramVerifier.TryParse(text) is { } verifier ? new ScramHash(verifier) : null;

    /// <inheritdoc />
    public override ValueTask<bool> MatchesAsync(byte[] password) => ValueTask.FromResult(Verifier.Matches(password));

    /// <summary>Somebody chose it: it lets its user log in by SCRAM.</summary>
    public override bool IsWeakerThan(HashCost cost) => false;
}
