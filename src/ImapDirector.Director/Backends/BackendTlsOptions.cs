using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace ImapDirector.Director.Backends;

/// <summary>How a node's certificate is checked, the same whether TLS came first or by STARTTLS (limits R4).</summary>
internal static class BackendTlsOptions
{
    public static SslClientAuthenticationOptions For(BackendNode node)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = node.TlsName ?? node.Host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (node.TlsFingerprint is { } text)
        {
            // Exactly this certificate, whoever signed it and whatever name it carries.
            var expected = Convert.FromHexString(DirectorOptionsRules.NormalizeFingerprint(text));
            options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null
                && CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate.GetRawCertData()), expected);
        }
        return options;
    }
}
