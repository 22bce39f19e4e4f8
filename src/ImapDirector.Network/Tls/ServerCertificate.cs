using System.Net.Security;
using System.Security.Cryptography;
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
    private byte[] _lastTried;

    private ServerCertificate(CertificatePair[] files, bool isDirect, ClientCertificateOptions? clients, TlsPolicy? policy)
    {
        (_files, _isDirect, _clients, _policy) = (files, isDirect, clients, policy ?? TlsPolicy.Default);
        var contents = ReadAll();
        _lastTried = DigestOf(contents);
        _shown = Parse(contents);
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

    /// <summary>Reads the files again. Handshakes from now on show what is in them; connections that are there go on.</summary>
    /// <returns>Whether there was something new in them since they were last read.</returns>
    /// <exception cref="InvalidDataException">They cannot be used; what was shown before stays. The same content is not tried, and told of, twice.</exception>
    public bool Reload()
    {
        lock (_reloading)
        {
            var contents = ReadAll();
            var digest = DigestOf(contents);
            if (digest.AsSpan().SequenceEqual(_lastTried)) return false;
            _lastTried = digest;
            // What was shown is not disposed of: a handshake may be at work with it.
            _shown = Parse(contents);
            return true;
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
            if (!existing.IsSelfSigned || existing.Leaf.NotAfter - DateTime.Now > RenewBefore) return existing;
            existing.Dispose();
            SelfSignedCertificate.Write(certificateFile, keyFile, names);
        }
        return Load(pair, isDirect, clients, policy: policy);
    }

    /// <summary>SHA-256 of the leaf certificate, upper-case hexadecimal.</summary>
    public string Fingerprint => _shown.All[0].Fingerprint;

    /// <summary>When the leaf certificate ends to be valid.</summary>
    public DateTimeOffset Expires => Leaf.NotAfter;

    /// <summary>Each certificate, the first and the further ones.</summary>
    public IReadOnlyList<CertificateState> All => [.. _files.Zip(_shown.All, static (files, one) => new CertificateState(files.CertificateFile, one.Fingerprint, one.Leaf.NotAfter))];

    /// <summary>Why what authorities say of certificates is not shown, for each where it is not for a fault of its file.</summary>
    public IReadOnlyList<string> StapleFaults => [.. _shown.All.Select(static one => one.StapleFault).OfType<string>()];

    /// <summary>The files with lists of revoked certificates, as they were read last.</summary>
    public IReadOnlyList<RevocationState> RevocationLists => _shown.Revoked?.States ?? [];

    /// <summary>Options for .NET's TLS, without a question for clients' certificates; one object shared by all connections, until <see cref="Reload"/> makes another.</summary>
    public SslServerAuthenticationOptions ServerOptions => _shown.Options;

    /// <summary>Whether handshakes fail without a client's certificate that counts.</summary>
    public bool RequiresClients => _clients?.IsRequired == true;

    /// <summary>Options for one handshake of .NET's TLS with the first certificate, and with the question for the client's.</summary>
    /// <param name="protocol">The one that is offered by ALPN.</param>
    /// <param name="identified">Hears who the client is, where it was asked, before the handshake ends.</param>
    public SslServerAuthenticationOptions NewOptions(SslApplicationProtocol protocol, Action<ClientIdentity> identified)
    {
        var shown = _shown;
        var options = shown.NewOptionsFor(shown.All[0], identified);
        options.ApplicationProtocols = [protocol];
        return options;
    }

    /// <summary>What handshakes show that begin now.</summary>
    internal ShownCertificates Shown => _shown;

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

    private ShownCertificates Parse(List<byte[]> contents)
    {
        var clients = _clients is null ? null : ClientAuthorities.Parse(_clients, TextOf(contents[3 * _files.Length]), contents[(3 * _files.Length + 1)..]);
        return new ShownCertificates([.. _files.Select((files, i) => ShownCertificate.Parse(files, TextOf(contents[3 * i]), TextOf(contents[3 * i + 1]), files.OcspFile is null ? null : contents[3 * i + 2]))], _policy, clients, _isDirect);
    }

    private static string TextOf(byte[] content)
    {
        using var reader = new StreamReader(new MemoryStream(content));
        return reader.ReadToEnd();
    }

    private static byte[] DigestOf(List<byte[]> contents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var content in contents)
        {
            hash.AppendData(BitConverter.GetBytes(content.Length));
            hash.AppendData(content);
        }
        return hash.GetHashAndReset();
    }

    // Of each pair three, then what there is of clients.
    private List<byte[]> ReadAll()
    {
        var contents = new List<byte[]>();
        foreach (var files in _files)
        {
            contents.Add(Read(files.CertificateFile, "certificate"));
            contents.Add(Read(files.KeyFile, "key"));
            contents.Add(files.OcspFile is null ? [] : ReadStaple(files.OcspFile));
        }
        if (_clients is null) return contents;
        contents.Add(Read(_clients.AuthorityFile, "authority"));
        foreach (var file in _clients.CrlFiles ?? []) contents.Add(Read(file, "CRL", OpenSsl.RevocationLists.MostFileBytes));
        return contents;
    }

    // What is not there is told of as what cannot be used is. It comes from the network (RFC 6960, appendix A), and of what is too long no more is read than shows it.
    private static byte[] ReadStaple(string file)
    {
        try
        {
            return ReadAtMost(file, OcspStaple.MostBytes);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static byte[] ReadAtMost(string file, int most)
    {
        using var stream = File.OpenRead(file);
        // A pipe or a device does not say how long it is.
        var length = stream.CanSeek ? stream.Length : 0;
        var bytes = new byte[(length > 0 ? Math.Min(length, most) : most) + 1];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    /// <param name="file">Which.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="most">Of what comes from the network: no more is read than shows that it is too long.</param>
    private static byte[] Read(string file, string what, int? most = null)
    {
        try
        {
            return most is { } limit ? ReadAtMost(file, limit) : File.ReadAllBytes(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The {what} file \"{file}\" cannot be read ({unreadable.GetType().Name}): name a file that this process may read.", unreadable);
        }
    }
}
