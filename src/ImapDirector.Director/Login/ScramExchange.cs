using ImapDirector.Network;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>The beginning of the exchange behind AUTHENTICATE SCRAM-…, with channel binding or without (RFC 5802, RFC 7677). It goes on in <see cref="ScramProof"/>.</summary>
internal sealed class ScramExchange(Connection client, SaslLines lines, AuthenticateCommand command, MechanismOffer offer, LoginProofs proofs, DirectorOptions options)
{
    /// <summary>Runs it.</summary>
    /// <returns>The attempt; <c>null</c> when there is none, see <see cref="SaslLines.Failure"/>.</returns>
    public async ValueTask<LoginAttempt?> RunAsync(CancellationToken cancellationToken)
    {
        var isPlus = command.Mechanism.EndsWith(MechanismOffer.Plus, StringComparison.Ordinal);
        var hash = command.Mechanism.StartsWith("SCRAM-SHA-256", StringComparison.Ordinal) ? ScramHashName.Sha256 : ScramHashName.Sha1;
        var line = command.InitialResponse ?? await lines.AskAsync(default, cancellationToken);
        if (line is null) return null;
        if (!SaslCredentials.TryDecode(line, out var message) || ScramClientFirst.TryParse(message) is not { } first
            || (first.Binding == ScramBinding.Used) != isPlus || !TryBind(first, out var binding)) return lines.Fail(SaslFailure.Malformed);
        var names = LoginNames.Of(first.Identity, first.User, options);
        return new LoginAttempt(command.Tag, "sasl_" + command.Mechanism.ToLowerInvariant().Replace('-', '_'), names.Name, [])
        {
            ActsFor = names.ActsFor,
            Proof = new ScramProof(client, lines, first, names, hash, binding, offer.IncludesBinding(client), proofs),
        };
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
}
