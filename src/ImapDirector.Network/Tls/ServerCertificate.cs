using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImapDirector.Network.Tls;

/// <summary>The certificate we show, and the TLS settings that go with it: 1.2 and 1.3, ALPN <c>imap</c> or nothing (limits P22).</summary>
public sealed class ServerCertificate : IDisposable
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private static readonly SslApplicationProtocol Imap = new("imap");

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly Lock _reloading = new();
    private volatile Shown _shown;
    private byte[] _lastTried;

    private ServerCertificate(string certificateFile, string keyFile)
    {
        (_certificateFile, _keyFile) = (certificateFile, keyFile);
        var (certificate, key) = (Read(certificateFile, "certificate"), Read(keyFile, "key"));
        _lastTried = DigestOf(certificate, key);
        _shown = Parse(certificate, key);
    }

    /// <summary>Loads a PEM chain and its key.</summary>
    /// <exception cref="InvalidDataException">A file is missing, not PEM, or the key is another certificate's; the message names the file and the fix.</exception>
    public static ServerCertificate Load(string certificateFile, string keyFile) => new(certificateFile, keyFile);

    /// <summary>Reads the files again. Handshakes from now on show what is in them; connections that are there go on.</summary>
    /// <returns>Whether there was something new in them since they were last read.</returns>
    /// <exception cref="InvalidDataException">They cannot be used; what was shown before stays. The same content is not tried, and told of, twice.</exception>
    public bool Reload()
    {
        lock (_reloading)
        {
            var (certificate, key) = (Read(_certificateFile, "certificate"), Read(_keyFile, "key"));
            var digest = DigestOf(certificate, key);
            if (digest.AsSpan().SequenceEqual(_lastTried)) return false;
            _lastTried = digest;
            // What was shown is not disposed of: a handshake may be at work with it.
            _shown = Parse(certificate, key);
            return true;
        }
    }

    /// <summary>Loads <c>cert.pem</c> and <c>key.pem</c> from the directory; makes a self-signed ECDSA P-256 pair there (key file mode 0600) where there is
    /// none or it is about to expire.</summary>
    /// <param name="directory">Where the files are; it must exist.</param>
    /// <param name="names">Host names and addresses for a new certificate to carry.</param>
    /// <exception cref="InvalidDataException">The files are there and cannot be used.</exception>
    /// <exception cref="IOException">They cannot be written.</exception>
    public static ServerCertificate LoadOrCreateSelfSigned(string directory, IReadOnlyList<string> names)
    {
        var certificateFile = Path.Combine(directory, "cert.pem");
        var keyFile = Path.Combine(directory, "key.pem");
        if (!File.Exists(certificateFile) || !File.Exists(keyFile))
        {
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        else
        {
            var existing = Load(certificateFile, keyFile);
            // Somebody else's certificate is theirs to renew.
            if (!existing.IsSelfSigned || existing.Leaf.NotAfter - DateTime.Now > RenewBefore) return existing;
            existing.Dispose();
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        return Load(certificateFile, keyFile);
    }

    /// <summary>SHA-256 of the leaf certificate, upper-case hexadecimal.</summary>
    public string Fingerprint => _shown.Fingerprint;

    /// <summary>When the leaf certificate ends to be valid.</summary>
    public DateTimeOffset Expires => _shown.Leaf.NotAfter;

    /// <summary>Options for <see cref="Connection.StartTlsServerAsync"/>; one object shared by all connections, until <see cref="Reload"/> makes another.</summary>
    public SslServerAuthenticationOptions ServerOptions => _shown.Options;

    internal X509Certificate2 Leaf => _shown.Leaf;

    private bool IsSelfSigned => Leaf.SubjectName.RawData.AsSpan().SequenceEqual(Leaf.IssuerName.RawData);

    /// <inheritdoc />
    public void Dispose()
    {
        var shown = _shown;
        shown.Leaf.Dispose();
        foreach (var certificate in shown.Chain) certificate.Dispose();
    }

    private Shown Parse(string certificate, string key)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificate);
        }
        catch (CryptographicException broken)
        {
            throw new InvalidDataException($"The certificate file \"{_certificateFile}\" is no PEM certificate: give the chain as PEM, the server's own certificate first.", broken);
        }
        if (chain.Count == 0)
            throw new InvalidDataException($"The certificate file \"{_certificateFile}\" has no certificate: give the chain as PEM, the server's own certificate first.");
        var bare = chain[0];
        chain.RemoveAt(0);
        try
        {
            return new Shown(X509Certificate2.CreateFromPem(certificate, key), chain);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            // The exception may quote the key: it is not passed on.
            throw new InvalidDataException($"The key file \"{_keyFile}\" is no unencrypted PEM key of the first certificate in \"{_certificateFile}\": give the key that belongs to it.");
        }
        finally
        {
            bare.Dispose();
        }
    }

    private static byte[] DigestOf(string certificate, string key) => SHA256.HashData(Encoding.UTF8.GetBytes(certificate + "\0" + key));

    private static string Read(string file, string what)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The {what} file \"{file}\" cannot be read ({unreadable.GetType().Name}): name a PEM file that this process may read.", unreadable);
        }
    }

    /// <summary>What handshakes show.</summary>
    private sealed class Shown(X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        public X509Certificate2 Leaf => leaf;

        public X509Certificate2Collection Chain => chain;

        public string Fingerprint { get; } = leaf.GetCertHashString(HashAlgorithmName.SHA256);

        public SslServerAuthenticationOptions Options { get; } = new()
        {
            // Offline: no client's handshake may make us fetch anything.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [Imap],
            AllowRenegotiation = false,
            ClientCertificateRequired = false,
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        };
    }
}
