using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImapDirector.Network.Tls.OpenSsl;

namespace ImapDirector.Network.Tls;

/// <summary>The certificate we show, and the TLS settings that go with it: 1.2 and 1.3, ALPN <c>imap</c> or nothing (limits P22).</summary>
public sealed class ServerCertificate : IDisposable
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private static readonly SslApplicationProtocol Imap = new("imap");

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly bool _isDirect;
    private readonly ClientCertificateOptions? _clients;
    private readonly Lock _reloading = new();
    private volatile Shown _shown;
    private byte[] _lastTried;

    private ServerCertificate(string certificateFile, string keyFile, bool isDirect, ClientCertificateOptions? clients)
    {
        (_certificateFile, _keyFile, _isDirect, _clients) = (certificateFile, keyFile, isDirect, clients);
        var texts = ReadAll();
        _lastTried = DigestOf(texts);
        _shown = Parse(texts);
    }

    /// <summary>Loads a PEM chain and its key.</summary>
    /// <param name="certificateFile">The chain, the server's own certificate first.</param>
    /// <param name="keyFile">Its key.</param>
    /// <param name="isDirect">Whether handshakes are OpenSSL's directly, where it can be called; else they are .NET's.</param>
    /// <param name="clients">Which certificates clients are asked for, or <c>null</c> for none.</param>
    /// <exception cref="InvalidDataException">A file is missing, not PEM, or the key is another certificate's; the message names the file and the fix.</exception>
    public static ServerCertificate Load(string certificateFile, string keyFile, bool isDirect = true, ClientCertificateOptions? clients = null) =>
        new(certificateFile, keyFile, isDirect, clients);

    /// <summary>Reads the files again. Handshakes from now on show what is in them; connections that are there go on.</summary>
    /// <returns>Whether there was something new in them since they were last read.</returns>
    /// <exception cref="InvalidDataException">They cannot be used; what was shown before stays. The same content is not tried, and told of, twice.</exception>
    public bool Reload()
    {
        lock (_reloading)
        {
            var texts = ReadAll();
            var digest = DigestOf(texts);
            if (digest.AsSpan().SequenceEqual(_lastTried)) return false;
            _lastTried = digest;
            // What was shown is not disposed of: a handshake may be at work with it.
            _shown = Parse(texts);
            return true;
        }
    }

    /// <summary>Loads <c>cert.pem</c> and <c>key.pem</c> from the directory; makes a self-signed ECDSA P-256 pair there (key file mode 0600) where there is
    /// none or it is about to expire.</summary>
    /// <param name="directory">Where the files are; it must exist.</param>
    /// <param name="names">Host names and addresses for a new certificate to carry.</param>
    /// <param name="isDirect">As of <see cref="Load"/>.</param>
    /// <param name="clients">Likewise.</param>
    /// <exception cref="InvalidDataException">The files are there and cannot be used.</exception>
    /// <exception cref="IOException">They cannot be written.</exception>
    public static ServerCertificate LoadOrCreateSelfSigned(string directory, IReadOnlyList<string> names, bool isDirect = true,
        ClientCertificateOptions? clients = null)
    {
        var certificateFile = Path.Combine(directory, "cert.pem");
        var keyFile = Path.Combine(directory, "key.pem");
        if (!File.Exists(certificateFile) || !File.Exists(keyFile))
        {
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        else
        {
            var existing = Load(certificateFile, keyFile, isDirect, clients);
            // Somebody else's certificate is theirs to renew.
            if (!existing.IsSelfSigned || existing.Leaf.NotAfter - DateTime.Now > RenewBefore) return existing;
            existing.Dispose();
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        return Load(certificateFile, keyFile, isDirect, clients);
    }

    /// <summary>SHA-256 of the leaf certificate, upper-case hexadecimal.</summary>
    public string Fingerprint => _shown.Fingerprint;

    /// <summary>When the leaf certificate ends to be valid.</summary>
    public DateTimeOffset Expires => _shown.Leaf.NotAfter;

    /// <summary>Options for .NET's TLS, without a question for clients' certificates; one object shared by all connections, until <see cref="Reload"/> makes another.</summary>
    public SslServerAuthenticationOptions ServerOptions => _shown.Options;

    /// <summary>The same for one handshake, with that question where it is to be asked.</summary>
    /// <param name="identified">Hears who the client is.</param>
    internal SslServerAuthenticationOptions OptionsFor(Action<ClientIdentity> identified) => _shown.OptionsFor(identified);

    /// <summary>The same for OpenSSL directly; <c>null</c> where .NET's TLS has to do.</summary>
    internal TlsContext? Context => _shown.Context;

    /// <summary>What <see cref="TlsBinding.ServerEndPoint"/> is of handshakes that begin now.</summary>
    internal byte[]? EndPointBinding => _shown.EndPointBinding;

    /// <summary>Which handshakes that show it are at work.</summary>
    internal HandshakeTurns Turns { get; } = new();

    internal X509Certificate2 Leaf => _shown.Leaf;

    private bool IsSelfSigned => Leaf.SubjectName.RawData.AsSpan().SequenceEqual(Leaf.IssuerName.RawData);

    /// <inheritdoc />
    public void Dispose()
    {
        var shown = _shown;
        shown.Context?.Dispose();
        shown.Leaf.Dispose();
        foreach (var certificate in shown.Chain) certificate.Dispose();
        Turns.Dispose();
    }

    private Shown Parse(Texts texts)
    {
        var (certificate, key, authorities) = texts;
        var clients = _clients is null ? null : ClientAuthorities.Parse(_clients, authorities!);
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
            return new Shown(X509Certificate2.CreateFromPem(certificate, key), chain, clients, _isDirect);
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

    private static byte[] DigestOf(Texts texts) => SHA256.HashData(Encoding.UTF8.GetBytes(texts.Certificate + "\0" + texts.Key + "\0" + texts.Authorities));

    private Texts ReadAll() => new(Read(_certificateFile, "certificate"), Read(_keyFile, "key"), _clients is null ? null : Read(_clients.AuthorityFile, "authority"));

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

    /// <summary>What is in the files.</summary>
    private readonly record struct Texts(string Certificate, string Key, string? Authorities);

    /// <summary>What handshakes show.</summary>
    private sealed class Shown(X509Certificate2 leaf, X509Certificate2Collection chain, ClientAuthorities? clients, bool isDirect)
    {
        // Who learns the keys of tickets can read what is said under TLS 1.2 with one of them: they do not live long.
        private static readonly TimeSpan TicketKeysLive = TimeSpan.FromHours(8);

        private readonly Lock _renewing = new();
        private TlsContext? _context = isDirect ? TlsContext.TryCreate(leaf, chain, clients) : null;
        private long _renewedAt = Environment.TickCount64;

        public X509Certificate2 Leaf => leaf;

        public X509Certificate2Collection Chain => chain;

        /// <summary>Made anew from time to time, with other keys for tickets; connections keep theirs alive.</summary>
        public TlsContext? Context
        {
            get
            {
                if (_context is null || Environment.TickCount64 - Volatile.Read(ref _renewedAt) < TicketKeysLive.TotalMilliseconds) return _context;
                lock (_renewing)
                {
                    if (Environment.TickCount64 - _renewedAt < TicketKeysLive.TotalMilliseconds) return _context;
                    _context = TlsContext.TryCreate(leaf, chain, clients) ?? _context;
                    Volatile.Write(ref _renewedAt, Environment.TickCount64);
                    return _context;
                }
            }
        }

        public string Fingerprint { get; } = leaf.GetCertHashString(HashAlgorithmName.SHA256);

        public byte[]? EndPointBinding { get; } = TlsBindings.EndPointOf(leaf);

        public SslServerAuthenticationOptions Options { get; } =
            // Offline: no client's handshake may make us fetch anything.
            NewOptions(SslStreamCertificateContext.Create(leaf, chain, offline: true));

        public SslServerAuthenticationOptions OptionsFor(Action<ClientIdentity> identified)
        {
            if (clients is null) return Options;
            var options = NewOptions(Options.ServerCertificateContext!);
            clients.AskIn(options, identified);
            return options;
        }

        private static SslServerAuthenticationOptions NewOptions(SslStreamCertificateContext context) => new()
        {
            ServerCertificateContext = context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [Imap],
            AllowRenegotiation = false,
            ClientCertificateRequired = false,
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        };
    }
}
