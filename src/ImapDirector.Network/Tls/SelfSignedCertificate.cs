using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>Makes a certificate for trying things out: ECDSA P-256, signed by itself.</summary>
internal static class SelfSignedCertificate
{
    // No client takes more than 825 days.
    private static readonly TimeSpan Validity = TimeSpan.FromDays(820);
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Writes the pair. The certificate goes last: where it is, its key is too.</summary>
    public static void Write(string certificateFile, string keyFile, IReadOnlyList<string> names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // An hour ago, for clients whose clocks are late.
        var begin = DateTimeOffset.UtcNow.AddHours(-1);
        using var certificate = Request(key, names).CreateSelfSigned(begin, begin + Validity);
        File.Delete(certificateFile);
        Replace(keyFile, key.ExportPkcs8PrivateKeyPem());
        Replace(certificateFile, certificate.ExportCertificatePem());
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(certificateFile))!);
    }

    private static CertificateRequest Request(ECDsa key, IReadOnlyList<string> names)
    {
        var request = new CertificateRequest(new X500DistinguishedName("CN=ImapDirector self-signed"), key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        return request;
    }

    private static void Replace(string file, string pem)
    {
        var fresh = file + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(fresh, options))
        using (var writer = new StreamWriter(stream))
        {
            writer.Write(pem);
            writer.Write('\n');
            writer.Flush();
            stream.Flush(flushToDisk: true);
        }
        File.Move(fresh, file, overwrite: true);
    }
}
