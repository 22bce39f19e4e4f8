using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>A certificate that handshakes show, with its chain.</summary>
internal sealed class ShownCertificate(X509Certificate2 leaf, X509Certificate2Collection chain) : SharedUse
{
    /// <summary>The server's own, with its key.</summary>
    public X509Certificate2 Leaf => leaf;

    /// <summary>What is sent behind it.</summary>
    public X509Certificate2Collection Chain => chain;

    /// <summary>What its authority says of it; <c>null</c> where we have nothing of that.</summary>
    public OcspStaple? Staple { get; private init; }

    /// <summary>Why what was given for <see cref="Staple"/> is not used; <c>null</c> where it is, or there is none.</summary>
    public string? StapleFault { get; private init; }

    /// <summary>SHA-256, upper-case hexadecimal.</summary>
    public string Fingerprint { get; } = leaf.GetCertHashString(HashAlgorithmName.SHA256);

    /// <summary>When it ends to be valid.</summary>
    public DateTimeOffset Expires { get; } = leaf.NotAfter;

    /// <summary>What <see cref="TlsBinding.ServerEndPoint"/> is where it is shown.</summary>
    public byte[]? EndPointBinding { get; } = TlsBindings.EndPointOf(leaf);

    /// <summary>The host names it is for.</summary>
    public IEnumerable<string> Names => leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(static names => names.EnumerateDnsNames());

    /// <summary>The same for .NET's TLS. Offline: no client's handshake may make us fetch anything.</summary>
    public SslStreamCertificateContext RuntimeContext { get; } = SslStreamCertificateContext.Create(leaf, chain, offline: true);

    /// <summary>Reads one.</summary>
    /// <param name="files">Where it came from, for messages.</param>
    /// <param name="certificate">The PEM chain.</param>
    /// <param name="key">Its key.</param>
    /// <param name="staple">What its authority says of it, or <c>null</c>.</param>
    /// <exception cref="InvalidDataException">They cannot be used; the message names the file and the fix.</exception>
    public static ShownCertificate Parse(CertificatePair files, string certificate, string key, byte[]? staple = null)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificate);
        }
        catch (CryptographicException broken)
        {
            throw new InvalidDataException($"The certificate file \"{files.CertificateFile}\" is no PEM certificate: give the chain as PEM, the server's own certificate first.", broken);
        }
        if (chain.Count == 0)
            throw new InvalidDataException($"The certificate file \"{files.CertificateFile}\" has no certificate: give the chain as PEM, the server's own certificate first.");
        var bare = chain[0];
        chain.RemoveAt(0);
        try
        {
            var (usable, fault) = staple is null ? (null, null) : TryStaple(files.OcspFile!, staple, bare);
            return new ShownCertificate(X509Certificate2.CreateFromPem(certificate, key), chain) { Staple = usable, StapleFault = fault };
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            // The exception may quote the key: it is not passed on.
            throw new InvalidDataException($"The key file \"{files.KeyFile}\" is no unencrypted PEM key of the first certificate in \"{files.CertificateFile}\": give the key that belongs to it.");
        }
        finally
        {
            bare.Dispose();
        }
    }

    // A certificate that is renewed must not wait for its authority's word of it.
    private static (OcspStaple? Staple, string? Fault) TryStaple(string file, byte[] staple, X509Certificate2 leaf)
    {
        try
        {
            return (OcspStaple.Parse(file, staple, leaf), null);
        }
        catch (InvalidDataException unusable)
        {
            return (null, unusable.Message);
        }
    }

    /// <inheritdoc />
    protected override void Free()
    {
        leaf.Dispose();
        foreach (var certificate in chain) certificate.Dispose();
    }
}
