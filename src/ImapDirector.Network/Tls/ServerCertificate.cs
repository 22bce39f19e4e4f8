using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>The certificate we show, and the TLS settings that go with it: 1.2 and 1.3, ALPN <c>imap</c> or nothing (limits P22).</summary>
public sealed class ServerCertificate : IDisposable
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private readonly CertificatePair[] _files;
    private readonly bool _isDirect;
    private readonly TlsPolicy _policy;
    private readonly ClientCertificateOptions? _clients;
    private readonly Lock _reloading = new();
    private volatile ShownCertificates _shown;
    private volatile string? _fault;
    private volatile string? _authorityFault;
    private byte[] _lastPairs;
    private byte[] _lastClients;

    private ServerCertificate(CertificatePair[] files, bool isDirect, ClientCertificateOptions? clients, TlsPolicy? policy)
    {
        (_files, _isDirect, _clients, _policy) = (files, isDirect, clients, policy ?? TlsPolicy.Default);
        var (ofPairs, ofClients) = (ReadPairs(), ReadClients());
        (_lastPairs, _lastClients) = (FileContent.DigestOf(ofPairs), FileContent.DigestOf(ofClients));
        _shown = new ShownCertificates(ParsePairs(ofPairs), _policy, ParseClients(ofClients, null), isDirect);
    }

    /// <summary>Loads a PEM chain and its key.</summary>
    /// <param name="first">What is shown to clients that ask for no name, or another.</param>
    /// <param name="isDirect">Whether handshakes are OpenSSL's directly, where it can be called; else they are .NET's.</param>
    /// <param name="clients">Which certificates clients are asked for, or <c>null</c> for none.</param>
    /// <param name="further">Others, shown to clients that ask for one of their names (SNI); or <c>null</c> for none.</param>
    /// <param name="policy">What handshakes may agree on; <c>null</c> for <see cref="TlsPolicy.Default"/>.</param>
    /// <exception cref="InvalidDataException">A file is missing, not PEM, or the key is another certificate's; the message names the file and the fix.</exception>
    public static ServerCertificate Load(CertificatePair first, bool isDirect = true, ClientCertificateOptions? clients = null, IReadOnlyList<CertificatePair>? further = null,
        TlsPolicy? policy = null) =>
        new([first, .. further ?? []], isDirect, clients, policy);

    /// <summary>Reads the files again. Handshakes from now on show what is in them; connections that are there go on. What is shown, and which certificates of clients count, do not
    /// wait for each other: of what cannot be used the former holds, and <see cref="Faults"/> and <see cref="ClientFaults"/> tell it.</summary>
    public CertificateReload Reload()
    {
        lock (_reloading)
        {
            var (ofPairs, ofClients) = (ReadPairs(), ReadClients());
            var (pairs, clients) = (FileContent.DigestOf(ofPairs), FileContent.DigestOf(ofClients));
            var (isNew, isNewOfClients) = (!pairs.AsSpan().SequenceEqual(_lastPairs), !clients.AsSpan().SequenceEqual(_lastClients));
            if (!isNew && !isNewOfClients) return CertificateReload.Unchanged;
            (_lastPairs, _lastClients) = (pairs, clients);
            var former = _shown;
            var (shown, asked) = (isNew ? TryParsePairs(ofPairs) : null, isNewOfClients ? TryParseClients(ofClients, former.Clients) : null);
            if (shown is null && asked is null) return CertificateReload.Kept;
            _shown = new ShownCertificates(shown ?? former.UseAll(), _policy, asked ?? former.UseClients(), _isDirect);
            former.Dispose();
            return CertificateReload.Renewed;
        }
    }

    /// <summary>Loads <c>cert.pem</c> and <c>key.pem</c> from the directory; makes a self-signed ECDSA P-256 pair there (key file mode 0600) where there is
    /// none or it is about to expire.</summary>
    /// <param name="directory">Where the files are; it must exist.</param>
    /// <param name="names">Host names and addresses for a new certificate to carry.</param>
    /// <param name="isDirect">As of <see cref="Load"/>.</param>
    /// <param name="clients">Likewise.</param>
    /// <param name="policy">Likewise.</param>
    /// <exception cref="InvalidDataException">The files are there and cannot be used.</exception>
    /// <exception cref="IOException">They cannot be written.</exception>
    public static ServerCertificate LoadOrCreateSelfSigned(string directory, IReadOnlyList<string> names, bool isDirect = true,
        ClientCertificateOptions? clients = null, TlsPolicy? policy = null)
    {
        var (certificateFile, keyFile) = (Path.Combine(directory, "cert.pem"), Path.Combine(directory, "key.pem"));
        var pair = new CertificatePair(certificateFile, keyFile);
        if (!File.Exists(certificateFile) || !File.Exists(keyFile))
        {
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        else
        {
            var existing = Load(pair, isDirect, clients, policy: policy);
            // Somebody else's certificate is theirs to renew.
            if (!existing.IsSelfSigned || existing.Expires - DateTimeOffset.Now > RenewBefore) return existing;
            existing.Dispose();
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        return Load(pair, isDirect, clients, policy: policy);
    }

    /// <summary>SHA-256 of the leaf certificate, upper-case hexadecimal.</summary>
    public string Fingerprint => _shown.All[0].Fingerprint;

    /// <summary>When the leaf certificate ends to be valid.</summary>
    public DateTimeOffset Expires => _shown.All[0].Expires;

    /// <summary>Each certificate, the first and the further ones.</summary>
    public IReadOnlyList<CertificateState> All => [.. _files.Zip(_shown.All, static (files, one) => new CertificateState(files.CertificateFile, one.Fingerprint, one.Expires))];

    /// <summary>Why what authorities say of certificates is not shown, for each where it is not for a fault of its file.</summary>
    public IReadOnlyList<string> StapleFaults => [.. _shown.All.Select(static one => one.StapleFault).OfType<string>()];

    /// <summary>Why what is in the files of certificates and keys is not what is shown; a sentence with the file and the fix, as long as that is so.</summary>
    public IReadOnlyList<string> Faults => _fault is { } fault ? [fault] : [];

    /// <summary>What of the files about clients' certificates is not used; a sentence each, with the file and the fix, as long as that is so. What was known before holds in its
    /// place, and where nothing was, no certificate counts that it is about.</summary>
    public IReadOnlyList<string> ClientFaults => [.. new[] { _authorityFault }.OfType<string>(), .. _shown.Clients?.Revoked?.Faults ?? []];

    /// <summary>The files with lists of revoked certificates, and until when what they are about can be looked up.</summary>
    public IReadOnlyList<RevocationState> RevocationLists => _shown.Clients?.Revoked?.States ?? [];

    /// <summary>Options for .NET's TLS, without a question for clients' certificates; one object shared by all connections, until <see cref="Reload"/> makes another.</summary>
    public SslServerAuthenticationOptions ServerOptions => _shown.Options;

    /// <summary>Whether handshakes fail without a client's certificate that counts.</summary>
    public bool RequiresClients => _clients?.IsRequired == true;

    /// <summary>Whether one of those who sign clients' certificates here does it there too.</summary>
    public bool SharesAuthoritiesWith(ServerCertificate other) => _shown.Clients is { } own && other._shown.Clients is { } others && own.Keys.Overlaps(others.Keys);

    /// <summary>Options for one handshake of .NET's TLS with the first certificate, and with the question for the client's.</summary>
    /// <param name="protocol">The one that is offered by ALPN.</param>
    /// <param name="identified">Hears who the client is, where it was asked, before the handshake ends.</param>
    /// <param name="use">To be disposed of when the handshake has ended.</param>
    public SslServerAuthenticationOptions NewOptions(SslApplicationProtocol protocol, Action<ClientIdentity> identified, out IDisposable use)
    {
        var shown = Use();
        var options = shown.NewOptionsFor(shown.All[0], identified);
        options.ApplicationProtocols = [protocol];
        use = new CertificateUse(shown);
        return options;
    }

    /// <summary>What handshakes show that begin now; with an end of its use.</summary>
    /// <exception cref="ObjectDisposedException">Nothing is shown any more.</exception>
    internal ShownCertificates Use()
    {
        while (true)
        {
            var shown = _shown;
            if (shown.TryUse()) return shown;
            ObjectDisposedException.ThrowIf(shown == _shown, this);
        }
    }

    /// <summary>Which handshakes that show it are at work.</summary>
    internal HandshakeTurns Turns { get; } = new();

    internal X509Certificate2 Leaf => _shown.All[0].Leaf;

    private bool IsSelfSigned => Leaf.SubjectName.RawData.AsSpan().SequenceEqual(Leaf.IssuerName.RawData);

    /// <inheritdoc />
    public void Dispose()
    {
        _shown.Dispose();
        Turns.Dispose();
    }

    private ShownCertificate[]? TryParsePairs(List<FileContent> contents)
    {
        try
        {
            var parsed = ParsePairs(contents);
            _fault = null;
            return parsed;
        }
        catch (InvalidDataException unusable)
        {
            _fault = unusable.Message;
            return null;
        }
    }

    private ClientAuthorities? TryParseClients(List<FileContent> contents, ClientAuthorities? former)
    {
        try
        {
            var parsed = ParseClients(contents, former);
            _authorityFault = null;
            return parsed;
        }
        catch (InvalidDataException unusable)
        {
            _authorityFault = unusable.Message;
            return null;
        }
    }

    private ShownCertificate[] ParsePairs(List<FileContent> contents) =>
        [.. _files.Select((files, i) => ShownCertificate.Parse(files, contents[3 * i].Text, contents[3 * i + 1].Text, files.OcspFile is null ? null : contents[3 * i + 2].Bytes))];

    private ClientAuthorities? ParseClients(List<FileContent> contents, ClientAuthorities? former) => _clients is null ? null : ClientAuthorities.Parse(_clients, contents[0].Text, contents[1..], former);

    // Of each three. A staple that is not there is told of as one that cannot be used is; it comes from the network (RFC 6960, appendix A).
    private List<FileContent> ReadPairs() =>
    [
        .. _files.SelectMany(static files => new[]
        {
            FileContent.Read(files.CertificateFile, "certificate"), FileContent.Read(files.KeyFile, "key"),
            files.OcspFile is null ? new FileContent([]) : FileContent.Read(files.OcspFile, "OCSP", OcspStaple.MostBytes),
        }),
    ];

    private List<FileContent> ReadClients() => _clients is null ? [] :
        [FileContent.Read(_clients.AuthorityFile, "authority"), .. (_clients.CrlFiles ?? []).Select(static file => FileContent.Read(file, "CRL", OpenSsl.RevocationLists.MostFileBytes))];

    private sealed class CertificateUse(ShownCertificates shown) : IDisposable
    {
        private ShownCertificates? _shown = shown;

        public void Dispose() => Interlocked.Exchange(ref _shown, null)?.EndUse();
    }
}
