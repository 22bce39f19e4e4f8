using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Backends;

/// <summary>How nodes' certificates are checked, the same whether TLS came first or by STARTTLS (limits R4).</summary>
/// <param name="authorities">Whose signatures count, or <c>null</c> for those the system trusts.</param>
internal sealed class BackendTlsOptions(X509Certificate2Collection? authorities)
{
    /// <summary>Whether anybody's signature counts besides those the system trusts.</summary>
    public bool HasAuthorities => authorities is { Count: > 0 };

    /// <summary>Reads whom to trust.</summary>
    /// <exception cref="CryptographicException"><see cref="DirectorOptions.NodeCaFile"/> cannot be used.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static BackendTlsOptions Load(DirectorOptions options)
    {
        if (options.NodeCaFile is not { } file) return new BackendTlsOptions(null);
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return new BackendTlsOptions(authorities);
    }

    public SslClientAuthenticationOptions For(BackendNode node)
    {
        var options = OutgoingTls.For(node.TlsName ?? node.Host, authorities);
        if (node.TlsFingerprint is { } text)
        {
            // Exactly this certificate or key, whoever signed it and whatever name it carries.
            var expected = Convert.FromHexString(DirectorOptionsRules.NormalizeFingerprint(text));
            options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 shown && IsPinned(shown, expected);
        }
        return options;
    }

    private static bool IsPinned(X509Certificate2 shown, byte[] expected) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(shown.RawData), expected)
        || CryptographicOperations.FixedTimeEquals(SHA256.HashData(shown.PublicKey.ExportSubjectPublicKeyInfo()), expected);
}
