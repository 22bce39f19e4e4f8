using System.Net.Sockets;
using System.Security.Cryptography;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Throttling;
using ImapDirector.Network;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>SCRAM from the client's first message on. That message names somebody, and the answer to it tells something of them, so that it is a guess already:
/// who then leaves, cancels, or sends what is no proof has failed as if it had been a wrong one.</summary>
/// <param name="client">The connection.</param>
/// <param name="lines">Its exchange.</param>
/// <param name="first">The client's first message.</param>
/// <param name="names">Who it names.</param>
/// <param name="hash">The mechanism's hash function.</param>
/// <param name="binding">What the channel is bound by.</param>
/// <param name="hasPlus">Whether a mechanism with channel binding was offered, with whatever hash function.</param>
/// <param name="proofs">What users and masters have.</param>
internal sealed class ScramProof(Connection client, SaslLines lines, ScramClientFirst first, LoginNames names, ScramHashName hash, byte[] binding, bool hasPlus, LoginProofs proofs) : ILoginProof
{
    /// <inheritdoc />
    public byte[]? RefusalChallenge => null;

    /// <inheritdoc />
    public async ValueTask<AuthenticationResult?> CheckAsync(LoginGate gate, CancellationToken cancellationToken)
    {
        ScramCandidate candidate;
        using (var turn = await gate.EnterAsync(cancellationToken))
        {
            if (turn is null) return null;
            candidate = await FindAsync(gate, cancellationToken);
        }
        var server = new ScramServer(first, candidate.Verifier, binding);
        // The turn is others' while the client takes its time.
        if (await AskAsync(server.FirstMessage, cancellationToken) is not { } line || !SaslCredentials.TryDecode(line, out var final)) return await GiveUpAsync(gate, candidate);
        var (proof, signature) = (final.ToArray(), Array.Empty<byte>());
        var result = await gate.CheckAsync(proof, stop => JudgeAsync(candidate, server.Finish(proof, out signature), stop), cancellationToken);
        if (result is not { Outcome: AuthenticationOutcome.Success }) return result;
        // The server's proof, which the client answers with nothing.
        var isHeard = await AskAsync(signature, cancellationToken) is not null;
        CryptographicOperations.ZeroMemory(signature);
        if (!isHeard) return await GiveUpAsync(gate, candidate);
        // It took as long as it liked: meanwhile the user may have been locked out, or have got another password.
        var again = await JudgeAgainAsync(gate, candidate, result.Value, cancellationToken);
        if (again.Outcome != AuthenticationOutcome.Success) await gate.NoteAsync(again, proof, cancellationToken);
        return again;
    }

    private Task<ScramCandidate> FindAsync(LoginGate gate, CancellationToken cancellationToken) => names.ActsFor is null
        ? proofs.Scram.FindAsync(names.Name, hash, client.RemoteEndPoint.Address, gate.Rank, cancellationToken)
        : proofs.Masters.FindAsync(names.Name, hash, client.RemoteEndPoint.Address, gate.Rank, cancellationToken);

    private async Task<AuthenticationResult> JudgeAsync(ScramCandidate candidate, ScramOutcome outcome, CancellationToken cancellationToken)
    {
        var result = candidate.ResultOf(outcome);
        if (result.Outcome == AuthenticationOutcome.Unfinished) return result;
        // A client that thinks we have no channel binding was told so by somebody in between (RFC 5802 section 6).
        if (first.Binding == ScramBinding.ServerLacksIt && hasPlus) return result with { Outcome = AuthenticationOutcome.OtherChannel };
        return result.Outcome == AuthenticationOutcome.Success && names.ActsFor is { } user ? await proofs.Masters.AdmitAsync(user, client.RemoteEndPoint.Address, cancellationToken) : result;
    }

    private async Task<AuthenticationResult> JudgeAgainAsync(LoginGate gate, ScramCandidate candidate, AuthenticationResult result, CancellationToken cancellationToken)
    {
        var now = await FindAsync(gate, cancellationToken);
        if (now.Outcome != AuthenticationOutcome.Success) return result with { Outcome = now.Outcome };
        if (!CryptographicOperations.FixedTimeEquals(now.Verifier.StoredKey, candidate.Verifier.StoredKey)) return result with { Outcome = AuthenticationOutcome.WrongPassword };
        return names.ActsFor is { } user ? await proofs.Masters.AdmitAsync(user, client.RemoteEndPoint.Address, cancellationToken) : result;
    }

    private static async Task<AuthenticationResult?> GiveUpAsync(LoginGate gate, ScramCandidate candidate)
    {
        var result = new AuthenticationResult(AuthenticationOutcome.Unfinished, candidate.User);
        // It counts also when the time for a login is over.
        await gate.NoteAsync(result, default, CancellationToken.None);
        return result;
    }

    private async Task<byte[]?> AskAsync(byte[] challenge, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.AskAsync(challenge, cancellationToken);
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // To leave without a word is to cancel; whoever answers next finds out that nobody is there.
            return null;
        }
    }
}
