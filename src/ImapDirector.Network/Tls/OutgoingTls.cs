using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>TLS towards whomever we connect to. Whoever is there chooses what its certificate says, so that nothing is fetched from where that points: neither a certificate in between,
/// which the peer has to send (RFC 8446 section 4.4.2), nor a list of revoked ones.</summary>
public static class OutgoingTls
{
    /// <summary>TLS 1.2 at least, a chain to somebody who is trusted, and the peer's name.</summary>
    /// <param name="host">The name its certificate must carry; <c>null</c> where what connects fills it in, as an HTTP client does.</param>
    /// <param name="caFile">PEM certificates that are trusted instead of the system's, or <c>null</c>.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="CryptographicException">What is in it cannot be used.</exception>
    public static SslClientAuthenticationOptions For(string? host, string? caFile)
    {
        if (caFile is null) return For(host, authorities: null);
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(caFile);
        return For(host, authorities);
    }

    /// <summary>As above.</summary>
    /// <param name="host">The name its certificate must carry; <c>null</c> where what connects fills it in, as an HTTP client does.</param>
    /// <param name="authorities">Who is trusted instead of the system's, or <c>null</c>.</param>
    public static SslClientAuthenticationOptions For(string? host, X509Certificate2Collection? authorities)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (authorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }
        return new SslClientAuthenticationOptions { TargetHost = host, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = policy };
    }
}
