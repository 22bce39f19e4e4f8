using System.Security.Cryptography;
using ImapDirector.Director.Authentication;
using ImapDirector.Network;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>The exchange behind AUTHENTICATE SCRAM-…, with channel binding or without (RFC 5802, RFC 7677).</summary>
internal sealed class ScramExchange(Connection client, SaslLines lines, AuthenticateCommand command, MechanismOffer offer, ScramVerifiers verifiers)
{
    /// <summary>Runs it.</summary>
    /// <returns>The attempt with its verdict; <c>null</c> when there is none, see <see cref="SaslLines.Failure"/>.</returns>
    public async ValueTask<LoginAttempt?> RunAsync(CancellationToken cancellationToken)
    {
        var isPlus = command.Mechanism.EndsWith(MechanismOffer.Plus, StringComparison.Ordinal);
        var hash = command.Mechanism.StartsWith("SCRAM-SHA-256", StringComparison.Ordinal) ? ScramHashName.Sha256 : ScramHashName.Sha1;
        var line = command.InitialResponse ?? await lines.AskAsync(default, cancellationToken);
        if (line is null) return null;
        if (!SaslCredentials.TryDecode(line, out var message) || ScramClientFirst.TryParse(message) is not { } first
            || (first.Binding == ScramBinding.Used) != isPlus) return lines.Fail(SaslFailure.Malformed);
        if (!TryBind(first, out var binding)) return lines.Fail(SaslFailure.Malformed);

        var candidate = await verifiers.FindAsync(first.User, hash, client.RemoteEndPoint.Address, cancellationToken);
        var server = new ScramServer(first, candidate.Verifier, binding);
        var finalLine = await lines.AskAsync(server.FirstMessage, cancellationToken);
        if (finalLine is null) return null;
        if (!SaslCredentials.TryDecode(finalLine, out var final)) return lines.Fail(SaslFailure.Malformed);
        var proof = final.ToArray();
        var outcome = server.Finish(proof, out var signature);
        if (outcome == ScramOutcome.Malformed) return lines.Fail(SaslFailure.Malformed);
        var result = candidate.ResultOf(outcome);
        // A client that thinks we have no channel binding was told so by somebody in between (RFC 5802 section 6). Nobody may ask to be somebody else (limits P24).
        if (first.Binding == ScramBinding.ServerLacksIt && offer.Includes(command.Mechanism + MechanismOffer.Plus, client)) result = result with { Outcome = AuthenticationOutcome.OtherChannel };
        else if (first.Identity.Length > 0 && !first.Identity.AsSpan().SequenceEqual(first.User)) result = result with { Outcome = AuthenticationOutcome.NoSuchUser };
        // The server's proof, which the client answers with nothing.
        if (result.Outcome == AuthenticationOutcome.Success && await lines.AskAsync(signature, cancellationToken) is null) return null;
        CryptographicOperations.ZeroMemory(signature);
        return new LoginAttempt(command.Tag, MetricNameOf(command.Mechanism), first.User, proof) { Verdict = result };
    }

    private bool TryBind(ScramClientFirst first, out byte[] binding)
    {
        var data = first.BindingName switch
        {
            null => [],
            "tls-server-end-point" => client.Binding(TlsBinding.ServerEndPoint),
            "tls-exporter" => client.Binding(TlsBinding.Exporter),
            _ => null,
        };
        binding = data ?? [];
        return data is not null;
    }

    private static string MetricNameOf(string mechanism) => "sasl_" + mechanism.ToLowerInvariant().Replace('-', '_');
}
