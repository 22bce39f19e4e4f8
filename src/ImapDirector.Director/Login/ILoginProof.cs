using ImapDirector.Director.Authentication;
using ImapDirector.Director.Throttling;

namespace ImapDirector.Director.Login;

/// <summary>What a client shows where it does not send the password. Nothing of it is looked up or checked but behind the gate.</summary>
internal interface ILoginProof
{
    /// <summary>What the client is to be told, and to answer, before it is refused; <c>null</c> for nothing.</summary>
    byte[]? RefusalChallenge { get; }

    /// <summary>Checks it, and asks the client for more where the mechanism wants it.</summary>
    /// <returns><c>null</c> when the gate stays shut.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    ValueTask<AuthenticationResult?> CheckAsync(LoginGate gate, CancellationToken cancellationToken);
}

/// <summary>A proof that came whole, such as a token.</summary>
/// <param name="secret">What came.</param>
/// <param name="check">Checks it.</param>
/// <param name="challenge">What the client is told of a refusal, or <c>null</c>.</param>
internal sealed class WholeProof(byte[] secret, Func<CancellationToken, Task<AuthenticationResult>> check, Func<AuthenticationOutcome, byte[]>? challenge = null) : ILoginProof
{
    /// <inheritdoc />
    public byte[]? RefusalChallenge { get; private set; }

    /// <inheritdoc />
    public async ValueTask<AuthenticationResult?> CheckAsync(LoginGate gate, CancellationToken cancellationToken)
    {
        var result = await gate.CheckAsync(secret, check, cancellationToken);
        if (result is { Outcome: not AuthenticationOutcome.Success } refused) RefusalChallenge = challenge?.Invoke(refused.Outcome);
        return result;
    }
}
