using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Tests.Shared;

/// <summary>Signs certificates for clients: a root, or one below another.</summary>
internal sealed class ClientAuthority : IDisposable
{
    public const string ForClients = "1.3.6.1.5.5.7.3.2";
    public const string ForServers = "1.3.6.1.5.5.7.3.1";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int _serial;

    /// <param name="name">Its name.</param>
    /// <param name="above">Who signs it; itself without.</param>
    /// <param name="signsLists">Whether its certificate says that it may sign lists.</param>
    public ClientAuthority(string name = "Clients of the test", ClientAuthority? above = null, bool signsLists = true)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | (signsLists ? X509KeyUsageFlags.CrlSign : 0), true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Certificate = above is null
            ? request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10))
            : request.Create(above.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(above._key), DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10), above.NextSerial());
    }

    /// <summary>Its own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem();

    /// <summary>A certificate with its key; the caller disposes it.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="emails">The addresses among its alternative names.</param>
    /// <param name="usage">What it is for, by OID; <c>null</c> to leave that open.</param>
    /// <param name="from">When its time begins, from now on.</param>
    /// <param name="to">When it ends.</param>
    /// <param name="padding">Bytes that make it longer.</param>
    /// <param name="isBroken">Whether the signature is wrong.</param>
    /// <param name="dnsName">The host's among its alternative names.</param>
    public X509Certificate2 Issue(string subject = "CN=alice", string[]? emails = null, string? usage = ForClients, TimeSpan? from = null, TimeSpan? to = null, int padding = 0, bool isBroken = false, string? dnsName = null) =>
        Issue(new X500DistinguishedName(subject), emails, usage, from, to, padding, isBroken, dnsName);

    /// <summary>As above.</summary>
    public X509Certificate2 Issue(X500DistinguishedName subject, string[]? emails = null, string? usage = ForClients, TimeSpan? from = null, TimeSpan? to = null, int padding = 0, bool isBroken = false, string? dnsName = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        if (usage is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (emails is not null || dnsName is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(dnsName ?? "client.example.com");
            foreach (var email in emails ?? []) names.AddEmailAddress(email);
            request.CertificateExtensions.Add(names.Build());
        }
        if (padding > 0)
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            writer.WriteOctetString(new byte[padding]);
            request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.99999.1", writer.Encode(), false));
        }
        using var bare = request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), DateTimeOffset.UtcNow + (from ?? TimeSpan.FromHours(-1)),
            DateTimeOffset.UtcNow + (to ?? TimeSpan.FromDays(1)), NextSerial());
        if (!isBroken) return bare.CopyWithPrivateKey(key);
        var encoded = bare.RawData;
        // Within the last number of the signature.
        encoded[^5] ^= 1;
        using var broken = X509CertificateLoader.LoadCertificate(encoded);
        return broken.CopyWithPrivateKey(key);
    }

    /// <summary>Its list of revoked certificates, in DER.</summary>
    /// <param name="revoked">Those on it.</param>
    /// <param name="from">When its time begins, from now on.</param>
    /// <param name="to">When it is out of date.</param>
    /// <param name="number">Its number.</param>
    public byte[] Revoke(X509Certificate2[] revoked, TimeSpan? from = null, TimeSpan? to = null, int number = 1)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var certificate in revoked) list.AddEntry(certificate);
        return list.Build(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), number, DateTimeOffset.UtcNow + (to ?? TimeSpan.FromDays(1)), HashAlgorithmName.SHA256,
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false), DateTimeOffset.UtcNow + (from ?? TimeSpan.FromHours(-1)));
    }

    /// <summary>The same list, with something else in its fields and signed again.</summary>
    /// <param name="list">In DER.</param>
    /// <param name="change">Gets the number of a field and what is in it, and gives what shall be there; nothing to leave it out.</param>
    public byte[] SignAgain(byte[] list, Func<int, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> change)
    {
        var whole = new AsnReader(list, AsnEncodingRules.DER).ReadSequence();
        var (body, algorithm) = (whole.ReadSequence(), whole.ReadEncodedValue());
        var changed = new AsnWriter(AsnEncodingRules.DER);
        using (changed.PushSequence())
        {
            for (var field = 0; body.HasData; field++)
                if (change(field, body.ReadEncodedValue()) is { IsEmpty: false } value) changed.WriteEncodedValue(value.Span);
        }
        var signed = new AsnWriter(AsnEncodingRules.DER);
        using (signed.PushSequence())
        {
            signed.WriteEncodedValue(changed.Encode());
            signed.WriteEncodedValue(algorithm.Span);
            signed.WriteBitString(_key.SignData(changed.Encode(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
        return signed.Encode();
    }

    /// <summary>As above, in PEM.</summary>
    public string RevokeInPem(params X509Certificate2[] revoked) => PemEncoding.WriteString("X509 CRL", Revoke(revoked)) + "\n";

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private byte[] NextSerial() => [1, (byte)++_serial];
}
