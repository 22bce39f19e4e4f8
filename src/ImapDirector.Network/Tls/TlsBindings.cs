using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>What an authentication can be bound to, so that it is worth nothing on another TLS connection (RFC 5056).</summary>
public enum TlsBinding
{
    /// <summary><c>tls-exporter</c>: key material of this very connection (RFC 9266). From TLS 1.3 on, and where OpenSSL is called directly.</summary>
    Exporter,
    /// <summary><c>tls-server-end-point</c>: the hash of the certificate that was shown (RFC 5929 section 4).</summary>
    ServerEndPoint,
}

/// <summary>The bytes of <see cref="TlsBinding"/>.</summary>
internal static class TlsBindings
{
    public const int ExporterBytes = 32;

    public static ReadOnlySpan<byte> ExporterLabel => "EXPORTER-Channel-Binding"u8;

    /// <summary>The certificate's hash by the function of its own signature, and by SHA-256 where that is weaker.</summary>
    /// <returns><c>null</c> where its signature has no hash function of its own, as with Ed25519: the RFC does not say what to do then.</returns>
    public static byte[]? EndPointOf(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        // RSA and ECDSA with SHA-384 and SHA-512 (RFC 8017, RFC 5758).
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => certificate.GetCertHash(HashAlgorithmName.SHA384),
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => certificate.GetCertHash(HashAlgorithmName.SHA512),
        // With MD5, SHA-1 and SHA-256.
        "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.113549.1.1.11" or "1.2.840.10045.4.1" or "1.2.840.10045.4.3.2" => certificate.GetCertHash(HashAlgorithmName.SHA256),
        _ => null,
    };
}
