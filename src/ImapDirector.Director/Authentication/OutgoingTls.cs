using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Director.Authentication;

/// <summary>TLS towards a directory or a service: a chain to a trusted root, and its name.</summary>
internal static class OutgoingTls
{
    /// <param name="host">The name its certificate must carry.</param>
    /// <param name="caFile">PEM certificates that are trusted instead of the system's, or <c>null</c>.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SslClientAuthenticationOptions For(string host, string? caFile)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (caFile is null) return options;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        options.CertificateChainPolicy = policy;
        return options;
    }
}
