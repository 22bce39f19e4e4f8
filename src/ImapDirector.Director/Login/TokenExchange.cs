using System.Security.Cryptography;
using ImapDirector.Director.Authentication.Tokens;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>The exchange behind AUTHENTICATE OAUTHBEARER (RFC 7628) or XOAUTH2.</summary>
internal sealed class TokenExchange(Connection client, SaslLines lines, AuthenticateCommand command, TokenLogin tokens)
{
    /// <summary>Runs it.</summary>
    /// <returns>The attempt; <c>null</c> when there is none, see <see cref="SaslLines.Failure"/>.</returns>
    public async ValueTask<LoginAttempt?> RunAsync(CancellationToken cancellationToken)
    {
        var isXOAuth2 = command.Mechanism == "XOAUTH2";
        var line = command.InitialResponse ?? await lines.AskAsync(default, cancellationToken);
        if (line is null) return null;
        byte[] user, token;
        try
        {
            if (!SaslCredentials.TryDecode(line, out var message)) return lines.Fail(SaslFailure.Malformed);
            ReadOnlySpan<byte> name, secret;
            if (isXOAuth2 ? !XOAuth2Message.TryParse(message, out name, out secret) : !BearerMessage.TryParse(message, out name, out secret)) return lines.Fail(SaslFailure.Malformed);
            (user, token) = (name.ToArray(), secret.ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
        return new LoginAttempt(command.Tag, isXOAuth2 ? "sasl_xoauth2" : "sasl_oauthbearer", user, token)
        {
            Proof = new WholeProof(token, stop => tokens.CheckAsync(user, token, client.RemoteEndPoint.Address, stop), outcome => tokens.ErrorFor(outcome, isXOAuth2)),
        };
    }
}
