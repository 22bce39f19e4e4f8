using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>The exchange behind AUTHENTICATE EXTERNAL (RFC 4422 appendix A), where the client has shown a certificate.</summary>
internal sealed class ExternalExchange(Connection client, SaslLines lines, AuthenticateCommand command, CertificateLogin certificates)
{
    /// <summary>Runs it.</summary>
    /// <returns>The attempt; <c>null</c> when there is none, see <see cref="SaslLines.Failure"/>.</returns>
    public async ValueTask<LoginAttempt?> RunAsync(CancellationToken cancellationToken)
    {
        var line = command.InitialResponse ?? await lines.AskAsync(default, cancellationToken);
        if (line is null) return null;
        if (!SaslCredentials.TryDecode(line, out var message) || message.Contains((byte)0)) return lines.Fail(SaslFailure.Malformed);
        var identity = message.ToArray();
        return new LoginAttempt(command.Tag, "sasl_external", Encoding.ASCII.GetBytes(certificates.NameOf(client).ToString()), identity)
        {
            Proof = new WholeProof(identity, stop => certificates.CheckAsync(client, identity, stop)),
        };
    }
}
